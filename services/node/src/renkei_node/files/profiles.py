"""Find saved profiles: a file, one that was saved in the node's directory, or the one that comes with the software."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renkei_chassis.files import replace
from renkei_files import ProfileError, read_profile

if TYPE_CHECKING:
    from renkei_files import Profile

STANDARD: Final = "standard"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LONGEST: Final = 1 << 20


def find_profile(directory: Path, collection: str, wanted: str) -> Profile:
    """Read the profile of a name or a path. Raises ProfileError, also where there is none."""
    return read_profile(_text(directory, collection, wanted))


def save_profile(directory: Path, collection: str, wanted: str, name: str) -> Path:
    """Keep a profile in the node's directory under a name, so that an import needs no path any more."""
    if not _NAME.fullmatch(name) or name == STANDARD:
        raise ProfileError("the name of a saved profile is of lower-case letters, digits and hyphens, and not standard")
    text = _text(directory, collection, wanted)
    read_profile(text)
    path = _saved(directory, collection, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, text.encode(), mode=0o644)
    return path


def _saved(directory: Path, collection: str, name: str) -> Path:
    return directory / "profiles" / collection / f"{name}.toml"


def _text(directory: Path, collection: str, wanted: str) -> str:
    path = Path(wanted)
    if _NAME.fullmatch(wanted):
        path = _saved(directory, collection, wanted)
        if wanted == STANDARD:
            return (resources.files("renkei_node") / "data" / "profiles" / f"{collection}.toml").read_text("utf-8")
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
    except OSError as error:
        raise ProfileError(f"no profile {wanted}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProfileError(f"{path} is not in UTF-8") from None
    if len(text) > _LONGEST:
        raise ProfileError(f"{path} is larger than a profile")
    return text
