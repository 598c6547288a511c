"""受理箱 and the page of a lead: what waits, what it is about, and the forms by which officers follow it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.responses import RedirectResponse
from starlette.routing import Route

from renkei_desk.following import SNOOZES, VIEWS, Following, may_assign
from renkei_desk.pages import inbox, lead, region
from renkei_desk.request import field, is_by_itself, place_of, read_visitors_form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from renkei_chassis.clock import Clock
    from renkei_desk.asking import Asking
    from renkei_desk.feed import Feed
    from renkei_desk.following import Refusal
    from renkei_desk.sessions import Visitor

    Handler = Callable[[Request, Visitor], Awaitable[Response]]
    Guard = Callable[[Handler], Callable[[Request], Awaitable[Response]]]


class LeadPages:
    """The pages of leads of one agency's desk."""

    def __init__(
        self, *, agency: str, asking: Asking, feed: Feed, clock: Clock, render: Callable[..., Response]
    ) -> None:
        """Take whom to ask, the log of the leads, and what makes a page."""
        self._asking = asking
        self._feed = feed
        self._clock = clock
        self._render = render
        self._following = Following(agency=agency, asking=asking, clock=clock)

    def routes(self, guarded: Guard) -> list[Route]:
        """Give the addresses of these pages, each behind the door."""
        return [
            Route("/", guarded(self._inbox)),
            Route("/acts", guarded(self._act), methods=["POST"]),
            Route("/leads/{lead}", guarded(self._lead), methods=["GET"]),
            Route("/leads/{lead}", guarded(self._act), methods=["POST"]),
        ]

    async def _inbox(self, request: Request, visitor: Visitor) -> Response:
        return await self._show_inbox(request, visitor, request.query_params.get("view", ""), ())

    async def _lead(self, request: Request, visitor: Visitor) -> Response:
        if not is_by_itself(request):  # what a page asks for by itself is nobody's look
            await self._following.look(request.path_params["lead"], str(uuid4()))
        return await self._show_lead(request, visitor, ())

    async def _act(self, request: Request, visitor: Visitor) -> Response:
        """Take a step with the leads of a form, and go back to where it stood; or say what was refused."""
        form = await read_visitors_form(request, visitor)
        refusals = await self._following.act(form)
        if not refusals:
            return RedirectResponse(place_of(field(form, "place")), status_code=303)
        if "lead" in request.path_params:
            return await self._show_lead(request, visitor, refusals)
        return await self._show_inbox(request, visitor, field(form, "view"), refusals)

    async def _show_inbox(self, request: Request, visitor: Visitor, view: str, refusals: Sequence[Refusal]) -> Response:
        position = await self._feed.begin_for(request)
        chosen = view if view in VIEWS else next(iter(VIEWS))
        answer = await self._asking.leads(
            page_token=request.query_params.get("page", ""), states=VIEWS[chosen], mine=chosen == "mine"
        )
        return self._render(
            request,
            visitor,
            "inbox.html",
            inbox=inbox.view(answer, now=self._clock.now()),
            views=VIEWS,
            chosen=chosen,
            position=position,
            **_acts(visitor, refusals),
        )

    async def _show_lead(self, request: Request, visitor: Visitor, refusals: Sequence[Refusal]) -> Response:
        position = await self._feed.begin_for(request)
        found = await self._asking.lead(request.path_params["lead"])
        return self._render(
            request,
            visitor,
            "lead.html",
            view=lead.view(found, await self._asking.records(lead.wanted(found))),
            follow_up=found.follow_up,
            left=inbox.left_of(found.follow_up, self._clock.now()),
            steps=await self._following.history(request.path_params["lead"]),
            position=position,
            region=region.small(found),
            where=region.records_in(found),
            short=lead.short_of,
            link=lead.link_of,
            **_acts(visitor, refusals),
        )


def _acts(visitor: Visitor, refusals: Sequence[Refusal]) -> dict[str, Any]:
    return {"refusals": refusals, "snoozes": SNOOZES, "may_assign": may_assign(visitor)}
