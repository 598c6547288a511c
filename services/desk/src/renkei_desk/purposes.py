"""照会目的: why an officer asks. It is said once for a case, and its id goes with every question into the logs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from renkei_desk import store
from renkei_desk.store import PurposeRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.writer import Writer
    from renkei_desk.sessions import Visitor

MAX_CASE: Final = 64
MAX_REASON: Final = 200
_SHOWN: Final = 10


class Purposes:
    """What the officers of one desk asked for."""

    def __init__(self, *, database: Database, writer: Writer) -> None:
        """Take the desk's own database."""
        self._database = database
        self._writer = writer

    async def of(self, visitor: Visitor) -> Sequence[PurposeRow]:
        """Read the last ones that an officer said, the newest first."""
        read = partial(store.list_purposes, officer=visitor.officer, limit=_SHOWN)
        return await self._database.read(read)

    async def say(self, visitor: Visitor, *, form: str, case: str, reason: str) -> bool:
        """Keep a purpose, once for each form, and ask for it from now on; False for what is none."""
        case, reason = case.strip(), reason.strip()
        known = _uuid(form)
        sound = all(text and text.isprintable() for text in (case, reason))
        if known is None or not sound or len(case) > MAX_CASE or len(reason) > MAX_REASON:
            return False
        row = PurposeRow(id=known, officer=visitor.officer, case_reference=case, reason=reason)
        await self._writer.run(partial(store.add_purpose, row=row, session=visitor.session))
        return True

    async def take(self, visitor: Visitor, purpose: str) -> None:
        """Ask for one that the officer said before."""
        take = partial(store.take_purpose, purpose=purpose, officer=visitor.officer, session=visitor.session)
        await self._writer.run(take)


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
