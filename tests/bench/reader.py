"""Read one file into the messages of a load and send none of them: `python -m tests.bench.reader DIR FILE`."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from renkei_node.files.kinds import TIPS
from renkei_node.files.plan import plan
from renkei_node.files.profiles import STANDARD, find_profile
from renkei_node.files.reading import batches, opened
from tests.agency import AGENCY


def told() -> dict[str, float]:
    directory, file = map(Path, sys.argv[1:])
    made = plan(find_profile(directory, "tips", STANDARD), TIPS)
    began, rows = time.monotonic(), 0
    with opened(file) as found:
        for batch in batches(found.rows(made, {}), made, load_id="", parent=AGENCY):
            rows += len(batch.records)
    seconds = time.monotonic() - began
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024
    return {"rows": rows, "seconds": seconds, "peak_mb": peak}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(told()))
