"""Who sits at a browser: one-time links, sessions that outlive a restart, and the idle lock.

A browser holds a random value in a cookie that no script can read; the database holds its hash. What
a form must bring back (CSRF) follows from the same value, and is never stored. An officer's token
ends after a quarter of an hour: where the node is there to renew it, the session goes on for a shift,
and the desk never holds a token that lives longer. Alone, the session ends with its token.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import NotAllowed
from renkei_desk import store
from renkei_desk.store import SessionRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.identity import Principal
    from renkei_desk.settings import Settings

    Renew = Callable[[str, Sequence[str]], Awaitable[str]]

_SECOND: Final = 1_000_000
_TOUCHED_AFTER: Final = 30 * _SECOND
_RENEWED_AFTER: Final = 5 * 60 * _SECOND
_MAX_LINKS: Final = 1000


class SessionOverError(Exception):
    """There is no such link or session, or none any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who is signed in."""

    session: bytes
    officer: str
    """`agencies/jp-12/officers/sato`."""
    roles: tuple[str, ...]
    form_key: str
    """What every form must bring back."""
    purpose: str | None
    """The id of why they ask; None: they did not say yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    officer: str
    roles: tuple[str, ...]
    token: str
    token_expires_us: int
    expires_us: int


@dataclass(slots=True, kw_only=True)
class _Token:
    text: str
    made_us: int
    expires_us: int = field(default=0)


class Sessions:
    """All sessions of one desk."""

    def __init__(
        self, *, database: Database, writer: Writer, clock: Clock, settings: Settings, renew: Renew | None
    ) -> None:
        """`renew` makes a fresh token for an officer and roles; None where only the officer's own is there.

        It raises NotAllowed where the officer may not be all that any more.
        """
        self._database = database
        self._writer = writer
        self._clock = clock
        self._settings = settings
        self._renew = renew
        self._links: dict[bytes, _Link] = {}
        self._tokens: dict[bytes, _Token] = {}

    def make_link(self, principal: Principal, token: str) -> str:
        """Give the code of a one-time link for an officer whose token was believed."""
        now_us = self._clock.now_us()
        self._links = {key: link for key, link in self._links.items() if link.expires_us > now_us}
        while len(self._links) >= _MAX_LINKS:
            del self._links[next(iter(self._links))]
        code = secrets.token_urlsafe(32)
        self._links[_hash("link", code)] = _Link(
            officer=principal.subject,
            roles=tuple(sorted(principal.roles)),
            token=token,
            token_expires_us=int(principal.expire_time.timestamp() * _SECOND),
            expires_us=now_us + self._settings.link_seconds * _SECOND,
        )
        return code

    async def enter(self, code: str) -> str:
        """Begin a session with a one-time link; gives what the browser is to hold. Raises SessionOverError."""
        link = self._links.pop(_hash("link", code), None)
        now_us = self._clock.now_us()
        if link is None or link.expires_us <= now_us:
            raise SessionOverError
        held = secrets.token_urlsafe(32)
        session = _hash("session", held)
        row = SessionRow(officer=link.officer, roles=link.roles, begin_us=now_us, seen_us=now_us)
        await self._writer.run(partial(_begin, session=session, row=row, settings=self._settings))
        self._tokens[session] = _Token(text=link.token, made_us=now_us, expires_us=link.token_expires_us)
        return held

    async def find(self, held: str, *, acts: bool) -> Visitor:
        """Tell who holds this; where a person `acts`, the session stays open. Raises SessionOverError."""
        session = _hash("session", held)
        row = await self._database.look(partial(store.find_session, session=session))
        if row is None:
            raise SessionOverError
        now_us = self._clock.now_us()
        if self._is_over(session, row, now_us):
            await self.end(session)
            raise SessionOverError
        if acts and now_us - row.seen_us > _TOUCHED_AFTER:
            await self._writer.run(partial(store.touch_session, session=session, seen_us=now_us))
        return Visitor(
            session=session,
            officer=row.officer,
            roles=row.roles,
            form_key=_hash("form", held).hex(),
            purpose=row.purpose,
        )

    async def end(self, session: bytes) -> None:
        """Sign out."""
        self._tokens.pop(session, None)
        await self._writer.run(partial(store.end_session, session=session))

    async def token(self, visitor: Visitor) -> str:
        """Give a token with which the services are asked on the visitor's behalf.

        Raises SessionOverError, and SettingsError where it cannot be known now what the officer may be.
        """
        now_us = self._clock.now_us()
        kept = self._tokens.get(visitor.session)
        if self._renew is None:
            if kept is None or kept.expires_us <= now_us:
                raise SessionOverError
            return kept.text
        if kept is None or not 0 <= now_us - kept.made_us < _RENEWED_AFTER:
            try:
                text = await self._renew(visitor.officer, visitor.roles)
            except NotAllowed:
                await self.end(visitor.session)
                raise SessionOverError from None
            kept = _Token(text=text, made_us=now_us)
            self._tokens[visitor.session] = kept
        return kept.text

    def _is_over(self, session: bytes, row: SessionRow, now_us: int) -> bool:
        limits = self._settings
        if now_us - row.seen_us >= limits.idle_minutes * 60 * _SECOND:
            return True
        if now_us - row.begin_us >= limits.session_hours * 3600 * _SECOND:
            return True
        kept = self._tokens.get(session)
        return self._renew is None and (kept is None or kept.expires_us <= now_us)


def _begin(transaction: Transaction, session: bytes, row: SessionRow, settings: Settings) -> None:
    """Write a session, and forget those that are over."""
    store.forget_sessions(
        transaction,
        begun_before_us=row.begin_us - settings.session_hours * 3600 * _SECOND,
        seen_before_us=row.begin_us - settings.idle_minutes * 60 * _SECOND,
    )
    store.add_session(transaction, session, row)


def _hash(use: str, value: str) -> bytes:
    return hashlib.sha256(f"renkei-desk-{use}-v1\0{value}".encode()).digest()
