"""A caller who does nothing wrong, as a process of its own: it lists tips and tells how long each answer took."""

from __future__ import annotations

import os
import sys
import time

from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.rpc.calling import Patience
from renkei_chassis.rpc.sync_client import SyncClient

PAUSE_SECONDS = 0.005


def main() -> None:
    address, agency = sys.argv[1:]
    token = os.environ["RENKEI_TOKEN"]
    request = tips_pb2.ListTipsRequest(parent=agency, page_size=1)
    with SyncClient(address, token=lambda: token, patience=Patience(first_pause_seconds=0.01)) as client:
        tips = client.stub(TipsServiceStub)
        while True:
            began = time.monotonic()
            client.call(tips.ListTips, request)  # what fails ends this process, and so the test
            sys.stdout.write(f"{time.monotonic() - began}\n")
            sys.stdout.flush()
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
