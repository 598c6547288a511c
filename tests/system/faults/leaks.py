"""Search every byte of every node for markers of records that it was never to have."""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.system.faults.history import History
    from tests.system.federation import Federation, Member

_MARKER: Final = re.compile(rb"RKSYS[0-9a-f]{32}")
_SCRAPE_SECONDS: Final = 10.0
_SPAN: Final = b"renkei.tips.v1.TipsService/CreateTip"


def leaks(federation: Federation, history: History, told: bytes) -> Iterator[str]:
    """Give a line for each marker that stands where it may not. Blocks."""
    if _SPAN not in told:
        yield "BLIND no node has told a collector of anything"
    for marker in sorted(set(_MARKER.findall(told))):
        yield f"LEAKED {marker.decode()} is in traces or metrics that a collector got"
    holders = _holders(history)
    for code, member in federation.members.items():
        found: set[bytes] = set()
        for place, is_silent, content in _everything(member):
            here = set(_MARKER.findall(content))
            found |= here
            for marker in sorted(here):
                if is_silent or code not in holders.get(marker, frozenset()):
                    yield f"LEAKED {marker.decode()} is in {place} of {code}"
        # A search that finds nothing proves nothing.
        own = {record.last.marker.encode() for record in history.confirmed() if record.origin == code}
        if len(own & found) * 2 < len(own):
            yield f"BLIND the search found {len(own & found)} of the {len(own)} markers that are at {code} by right"


def _holders(history: History) -> Mapping[bytes, frozenset[str]]:
    holders: dict[bytes, frozenset[str]] = {}
    for record in history.records:
        for version in record.versions:
            marker = version.marker.encode()
            holders[marker] = holders.get(marker, frozenset()) | version.audience | {record.origin}
    return holders


def _everything(member: Member) -> Iterator[tuple[str, bool, bytes]]:
    """Give (where, whether nothing at all may stand there, content) for all that a node keeps and shows."""
    root = member.directory.path
    for path in sorted(member.files()):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a file of the moment
            continue
        place = str(path.relative_to(root))
        yield place, place.startswith(("logs/", "run/")) or path.name == "nats.log", content
    yield "its output", True, member.output.read_bytes()
    yield "metrics", True, _scrape(member.ports.metrics)
    for line in member.command_lines():
        yield "a command line", True, line


def _scrape(port: int) -> bytes:
    # Not urllib: a variable of the environment must not send this through somebody else's machine.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SCRAPE_SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    assert answer.status == http.client.OK
    return content
