"""申し送り: the notes that one shift leaves to the next, the desk's only own record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from renkei_desk import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.writer import Writer
    from renkei_desk.store import NoteRow

MAX_TEXT: Final = 2000
_PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of notes."""

    notes: Sequence[NoteRow]
    before: int | None
    """From where the next page goes on; None after the last one."""


class Notes:
    """The notes of one desk."""

    def __init__(self, *, database: Database, writer: Writer) -> None:
        """Take the desk's own database."""
        self._database = database
        self._writer = writer

    async def page(self, before: int | None) -> Listed:
        """Read a page, the newest first."""
        rows = await self._database.read(partial(store.list_notes, before=before, limit=_PAGE + 1))
        more = len(rows) > _PAGE
        return Listed(notes=rows[:_PAGE], before=rows[_PAGE - 1].number if more else None)

    async def add(self, *, form: str, officer: str, text: str) -> bool:
        """Write a note, once for each form; False for a text or a form that is none."""
        text = text.strip()
        try:
            known = str(UUID(form))
        except ValueError:
            return False
        if not text or len(text) > MAX_TEXT or "\0" in text:
            return False
        await self._writer.run(partial(store.add_note, form=known, officer=officer, text=text))
        return True
