"""Import one file as `renkei tips import` does, and tell how long it took and how large the process grew.

`python -m tests.bench.importer DIR FILE`, with the token in RENKEI_TOKEN.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from renkei_node.cli import main


def told() -> dict[str, float]:
    directory, file = sys.argv[1:]
    with tempfile.TemporaryFile("w+") as said:
        with redirect_stdout(said):
            main(["tips", "import", directory, file, "--json"], standalone_mode=False)
        said.seek(0)
        answer = json.load(said)
    if not answer["finished"] or answer["refused"] or Path(answer["report"]).stat().st_size == 0:
        raise RuntimeError("the import was not taken whole")
    # ru_maxrss would tell of the process that started this one, too.
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024
    return {"rows": answer["recorded"], "seconds": answer["seconds"], "peak_mb": peak}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(told()))
