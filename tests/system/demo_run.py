"""Run the demo without bars on time.

With `tamper`, a loss and a leak are planted just before its checks.
What a program is told of its end goes to standard error.
With `stay DIR` it waits for somebody at its desk, and its nodes lie in DIR.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from renkei_node.demo.begin import begin

if TYPE_CHECKING:
    from renkei_node.demo.federation import Federation
    from renkei_node.demo.journal import Journal


def tamper(federation: Federation, journal: Journal) -> None:
    """Delete one copy that Tokyo should hold, and write one text of Tokyo's own into a file of Sapporo's node."""
    database = federation.members["jp-13"].directory.data / "tips.db"
    connection = sqlite3.connect(database, timeout=30)
    with connection:
        connection.execute("DELETE FROM tip_copy WHERE id = (SELECT min(id) FROM tip_copy)")
    connection.close()
    secret = next(entry for entry in journal if entry.origin == "jp-13" and "jp-01" not in entry.audience)
    (federation.members["jp-01"].directory.path / "logs" / "stray.txt").write_text(secret.markers.text)


if __name__ == "__main__":
    what, *rest = *sys.argv[1:], ""
    sys.exit(
        begin(
            once=what != "stay",
            watch=what == "stay",
            directory=Path(rest[0]) if what == "stay" else None,
            records=200,
            tamper=tamper if what == "tamper" else None,
            bars=False,
            on_outcome=lambda document: click.echo(json.dumps(document), err=True),
        )
    )
