"""What an import is measured against: the same records, made before the clock runs, sent over one LoadTips stream.

`python -m tests.bench.floors.bulk_load DIR FILE`, with the token in RENKEI_TOKEN.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.rpc.sync_client import SyncClient
from renkei_chassis.settings import load
from renkei_node.files.kinds import TIPS
from renkei_node.files.plan import plan
from renkei_node.files.profiles import STANDARD, find_profile
from renkei_node.files.reading import batches, opened
from renkei_node.layout import NodeDirectory
from renkei_node.settings import Ports
from tests.agency import AGENCY


def told() -> dict[str, float]:
    directory, file = map(Path, sys.argv[1:])
    made = plan(find_profile(directory, "tips", STANDARD), TIPS)
    with opened(file) as found:
        rows = found.rows(made, {})
        packed = batches(rows, made, load_id=str(uuid.uuid4()), parent=AGENCY)
        made_before = list(packed)
    requests = [batch.request for batch in made_before if batch.request is not None]
    count = sum(len(batch.records) for batch in made_before)
    ports = load(Ports, NodeDirectory(directory).settings, "ports")
    with SyncClient(ports.address("tips"), token=lambda: os.environ["RENKEI_TOKEN"]) as client:
        began = time.monotonic()
        method: Any = client.stub(TipsServiceStub).LoadTips
        answers: Any = client.duplex(method, iter(requests))
        names = sum(int(result.WhichOneof("result") == "name") for answer in answers for result in answer.results)
        seconds = time.monotonic() - began
    if names != count:
        raise RuntimeError("rows were refused")
    return {"rows": count, "seconds": seconds}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(told()))
