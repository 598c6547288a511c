"""Install what the tests' Node.js client needs from others, where there are node and npm."""

# Keep this file readable for an old Python 3, as environment.py is.
from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests" / "system" / "grpc_js"
PLACE = ROOT / ".cache" / "grpc_js"
FILES = ("package.json", "package-lock.json")
# The lock holds every version and its SHA-512, and no address: npm takes the registry of this machine's configuration.
# No package may run a script of its own while it is installed.
COMMAND = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")


def stale() -> bool:
    """Tell whether the packages can be installed and are not those of the lock."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    stamp = PLACE / "stamp.txt"
    return not stamp.is_file() or stamp.read_text() != fingerprint()


def fingerprint() -> str:
    """Reduce what is to be installed to a short string."""
    return hashlib.sha256(b"\n".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()


def install() -> None:
    """Install them. A failure is said and stops nobody: their tests are skipped then, or fail where CI wants them."""
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / "stamp.txt").unlink(missing_ok=True)
    for name in FILES:
        (PLACE / name).write_bytes((SOURCE / name).read_bytes())
    done = subprocess.run(COMMAND, cwd=PLACE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stdout + done.stderr
        print("\n" + said + "grpc_js: the packages were not installed", file=sys.stderr, flush=True)
        return
    (PLACE / "stamp.txt").write_text(fingerprint())
