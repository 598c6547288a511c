"""Targets for what is told of foreign bytes: a page of metrics, a line of log."""

from __future__ import annotations

import json
import logging
from typing import Final

from click.testing import CliRunner

from renkei_chassis.telemetry import logging as lines
from renkei_chassis.telemetry.exposition import MetricsServer
from renkei_chassis.telemetry.metrics import Metrics
from renkei_node.commands import explain

_METRICS: Final = MetricsServer([Metrics("tips")])


def metrics_page(data: bytes) -> None:
    """Answer a head of HTTP, and never with a word of it."""
    answer = _METRICS._respond(data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    assert int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]) == len(body)


METRICS_PAGE: Final = (
    b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:21006\r\n\r\n",
    b"POST /metrics?x HTTP/1.0\r\nhost: [::1]:1\r\nHost: a\r\n\r\n",
    b"GET  \r\n: \r\n\r\n",
)


def log_line(data: bytes) -> None:
    """Write what came from outside as one line of JSON."""
    text = data.decode("utf-8", "surrogateescape" if len(data) % 2 else "replace")
    told = f',"caller":{lines._value("caller", text)}'
    line = lines._line(0.0, logging.INFO, "renkei.fuzz", text, told=told, error=None)
    assert line.isprintable()
    assert set(json.loads(line)) == {"time", "level", "logger", "message", "caller"}


LOG_LINE: Final = (
    b"/renkei.tips.v1.TipsService/GetTip",
    b'"\n\r\x00',
    "\u2028\u0085".encode(),
    b"\xff\xfe\xed\xa0\x80",
)


def explained(data: bytes) -> None:
    """Read on standard input what another program said of a refusal."""
    done = CliRunner().invoke(explain.command, input=data)
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == 0


EXPLAINED: Final = (
    b'{"code":"invalid_argument","message":"x","details":[{"type":"google.rpc.ErrorInfo","value":"CgFh"}]}',
    b'{"code":"x","message":"\\ud800","details":[]}',
    b'{"code":1,"message":[],"details":[{"type":"google.rpc.BadRequest","value":"/w"}]}',
    b"[" * 3000,
    b"Failure: connection refused\n",
    b"\xff\xfe",
)
