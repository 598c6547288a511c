"""The pages beside leads and records: the clocks of custody."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from renkei_chassis.errors import FailedPrecondition
from renkei_desk.pages import clocks, lead
from renkei_desk.request import field, read_visitors_form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from renkei_chassis.clock import Clock
    from renkei_desk.asking import Asking
    from renkei_desk.feed import Feed
    from renkei_desk.sessions import Visitor

    Handler = Callable[[Request, Visitor], Awaitable[Response]]
    Guard = Callable[[Handler], Callable[[Request], Awaitable[Response]]]
    Render = Callable[..., Response]


class Boards:
    """What else the navigation leads to."""

    def __init__(self, *, asking: Asking, custody: Feed, clock: Clock, render: Render) -> None:
        """Take whom to ask, the log of the arrests, and what makes a page."""
        self._asking = asking
        self._custody = custody
        self._clock = clock
        self._render = render

    def routes(self, guarded: Guard) -> list[Route]:
        """Give the addresses of these pages, each behind the door."""
        return [
            Route("/clocks", guarded(self._clocks), methods=["GET"]),
            Route("/clocks", guarded(self._acknowledge), methods=["POST"]),
        ]

    async def _clocks(self, request: Request, visitor: Visitor) -> Response:
        # First where the log stands, then what the clocks are: what comes between is told again, and not missed.
        position = await self._custody.position()
        now = self._clock.now()
        board = clocks.view(await self._asking.clocks(page_token=request.query_params.get("page", "")), now=now)
        return self._render(
            request,
            visitor,
            "clocks.html",
            board=board,
            now=now,
            position=position,
            short=lead.short_of,
            link=lead.link_of,
        )

    async def _acknowledge(self, request: Request, visitor: Visitor) -> Response:
        form = await read_visitors_form(request, visitor)
        level = field(form, "level")
        # It may have been met, or a later warning come, since the page was made: the board shows what is so.
        with suppress(FailedPrecondition):
            await self._asking.acknowledge_clock(
                form=field(form, "form"),
                clock=field(form, "clock"),
                level=int(level) if level.isdecimal() and len(level) <= len("100") else 0,
                note=field(form, "note"),
            )
        return RedirectResponse("/clocks", status_code=303)
