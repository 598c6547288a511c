"""What is taken away from a page: CSV that Japanese Excel opens and runs nothing of, and pictures."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from starlette.responses import Response

from renkei_chassis.spreadsheets import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def csv_file(name: str, label: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Give a CSV, in UTF-8 with the mark by which Excel knows it; the label of the file stands above its header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([inert(label)])
    writer.writerow([inert(cell) for cell in header])
    # Our own numbers are numbers; whatever is a text may be anybody's.
    writer.writerows([cell if isinstance(cell, int | float) else inert(str(cell)) for cell in row] for row in rows)
    return _attached(text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", name)


def svg_file(name: str, text: str) -> Response:
    """Give a picture that stands alone."""
    return _attached(text.encode(), "image/svg+xml", name)


def _attached(content: bytes, kind: str, name: str) -> Response:
    """Have a browser keep it, and never show it as a page of ours."""
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
