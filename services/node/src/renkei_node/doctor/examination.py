"""Run every check of a node, in the order in which a person would."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from renkei_node.doctor.configuration import check_federation, check_keys, check_settings
from renkei_node.doctor.finding import Finding, skipped
from renkei_node.doctor.network import check_nats, check_peers, check_ports
from renkei_node.doctor.storage import check_clock, check_databases, check_disks

if TYPE_CHECKING:
    from renkei_node.layout import NodeDirectory


def examine(directory: NodeDirectory) -> list[Finding]:
    """Look the node over. Blocks for a few seconds at most where something does not answer."""
    agency, found = check_settings(directory)
    if agency is None:
        rest = ("federation", "keys", "database", "disk", "clock", "ports", "nats", "peers")
        return [*found, *(skipped(check, "needs_settings") for check in rest)]
    runs = is_running(directory)
    found.extend(check_federation(agency))
    found.extend(check_keys(agency))
    databases, logs = check_databases(agency)
    found.extend(databases)
    found.extend(check_disks(agency))
    found.extend(check_clock(logs))
    found.extend(check_ports(agency, runs=runs))
    found.extend(check_nats(agency, runs=runs))
    found.extend(check_peers(agency))
    return found


def is_running(directory: NodeDirectory) -> bool:
    """Tell whether a process runs the node: it holds the lock on its pid file."""
    try:
        with directory.pid.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
