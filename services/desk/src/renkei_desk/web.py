"""The web application: which address leads to which page, and who may come in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from renkei_chassis.errors import (
    InvalidArgument,
    NotAllowed,
    NotFoundOrDenied,
    RenkeiError,
    SettingsError,
    Unauthenticated,
)
from renkei_chassis.identity.verifier import bearer
from renkei_desk.asking import ON_BEHALF_OF, PURPOSE
from renkei_desk.boards import Boards
from renkei_desk.domain.question import parse
from renkei_desk.headers import Headers
from renkei_desk.lead_pages import LeadPages
from renkei_desk.pages import lead, peers, record
from renkei_desk.rendering import STATIC
from renkei_desk.request import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    ForgedFormError,
    field,
    is_by_itself,
    place_of,
    read_form,
    read_visitors_form,
    setting_of,
)
from renkei_desk.sessions import SessionOverError
from renkei_desk.tail import LogAwayError
from renkei_desk.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from renkei.arrests.v1.arrests_pb2 import Arrest
    from renkei.tips.v1.tips_pb2 import Tip
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from renkei_chassis.clock import Clock
    from renkei_chassis.identity import Verifier
    from renkei_desk.asking import Asking
    from renkei_desk.domain.cases import Case
    from renkei_desk.feed import Feed
    from renkei_desk.notes import Notes
    from renkei_desk.purposes import Purposes
    from renkei_desk.rendering import Pages
    from renkei_desk.sessions import Sessions, Visitor

    Handler = Callable[[Request, Visitor], Awaitable[Response]]

_KEPT_YEAR: Final = 365 * 24 * 3600
_MAX_SEARCH: Final = 256
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class Desk:
    """The desk of one agency."""

    def __init__(
        self,
        *,
        agency: str,
        port: int,
        sessions: Sessions,
        verifier: Verifier,
        clock: Clock,
        asking: Asking,
        feeds: Mapping[str, Feed],
        pages: Pages,
        notes: Notes,
        purposes: Purposes,
        cases: Sequence[Case],
    ) -> None:
        """Take everything that pages are made from."""
        self._cookie = f"__Host-renkei-{agency.rpartition('/')[2]}"
        self._sessions = sessions
        self._verifier = verifier
        self._clock = clock
        self._asking = asking
        self._feeds = feeds
        self._leads = LeadPages(agency=agency, asking=asking, feed=feeds["leads"], clock=clock, render=self._page)
        self._boards = Boards(
            agency=agency, asking=asking, feeds=feeds, clock=clock, pages=pages, render=self._page, cases=cases
        )
        self._pages = pages
        self._notes = notes
        self._purposes = purposes
        self.app: ASGIApp = Headers(
            Starlette(routes=self._routes(), exception_handlers=self._failures()),
            hosts=frozenset({f"127.0.0.1:{port}", f"localhost:{port}"}),
        )

    def _routes(self) -> list[Route]:
        return [
            *self._leads.routes(self._guarded),
            Route("/records/{agency}/{kind}/{record}", self._guarded(self._record)),
            Route("/search", self._guarded(self._search)),
            Route("/purpose", self._guarded(self._say_purpose), methods=["POST"]),
            *self._boards.routes(self._guarded),
            Route("/peers", self._guarded(self._peers)),
            Route("/notes", self._guarded(self._list_notes), methods=["GET"]),
            Route("/notes", self._guarded(self._add_note), methods=["POST"]),
            Route("/feed", self._guarded(self._follow)),
            Route("/print.css", self._guarded(self._sheet)),
            Route("/setting", self._guarded(self._set), methods=["POST"]),
            Route("/leave", self._guarded(self._leave), methods=["POST"]),
            Route("/links", self._link, methods=["POST"]),
            Route("/enter", self._entrance, methods=["GET"]),
            Route("/enter", self._enter, methods=["POST"]),
            Route("/locked", self._locked),
            Route("/static/{version}/{name}", self._static),
        ]

    # Who comes in

    async def _link(self, request: Request) -> Response:
        """Make a one-time link for whoever brings an officer's token; for the command of the node."""
        token = bearer(request.headers.get("authorization"))
        principal = self._verifier.verify(token, self._clock.now())
        if "/officers/" not in principal.subject:
            raise NotAllowed("ROLE_MISSING", "only an officer sits at a desk")
        return JSONResponse({"path": f"/enter?code={self._sessions.make_link(principal, token)}"})

    async def _entrance(self, request: Request) -> Response:
        """Ask before the link is used up: whatever looks ahead at links must not."""
        code = request.query_params.get("code", "")
        return self._pages.page("enter.html", setting_of(request), None, "/", code=code[:64])

    async def _enter(self, request: Request) -> Response:
        form = await read_form(request)
        held = await self._sessions.enter(field(form, "code"))
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self._cookie, held, secure=True, httponly=True, samesite="strict", path="/")
        return answer

    async def _locked(self, request: Request) -> Response:
        return self._pages.page("locked.html", setting_of(request), None, "/locked")

    async def _leave(self, request: Request, visitor: Visitor) -> Response:
        await read_visitors_form(request, visitor)
        await self._sessions.end(visitor.session)
        answer = RedirectResponse("/locked", status_code=303)
        answer.delete_cookie(self._cookie, secure=True, httponly=True, samesite="strict", path="/")
        return answer

    async def _set(self, request: Request, visitor: Visitor) -> Response:
        """Change language or colours, and stay where one was."""
        form = await read_visitors_form(request, visitor)
        answer = RedirectResponse(place_of(field(form, "place")), status_code=303)
        for name, cookie, known in (("language", LANGUAGE_COOKIE, LANGUAGES), ("theme", THEME_COOKIE, THEMES)):
            value = field(form, name)
            if value in known:
                answer.set_cookie(
                    cookie, value, max_age=_KEPT_YEAR, secure=True, httponly=True, samesite="strict", path="/"
                )
        return answer

    # Pages

    async def _record(self, request: Request, visitor: Visitor) -> Response:
        parts = request.path_params
        name = f"agencies/{parts['agency']}/{parts['kind']}/{parts['record']}"
        version = request.query_params.get("version", "0")
        if parts["kind"] not in {"tips", "arrests"} or not version.isdecimal() or len(version) > 9:  # noqa: PLR2004 (an int32)
            raise NotFoundOrDenied("DENIED", "there is no such page")
        newest = await self._asking.record(name)
        found = await self._asking.record(name, int(version)) if int(version) not in {0, newest.version} else newest
        leads = [each.name.rpartition("/")[2] for each in await self._asking.leads_of(name)]
        # Of a copy only the version that was released is here.
        compared = found.version > 1 and not found.received_grade
        changed = await self._asking.differences(name, found.version) if compared else None
        return self._page(
            request,
            visitor,
            "record.html",
            view=record.view(found, newest.version),
            changed=changed,
            leads=leads,
            link=lead.link_of,
        )

    async def _search(self, request: Request, visitor: Visitor) -> Response:
        question = request.query_params.get("q", "").strip()[:_MAX_SEARCH]
        found: list[Tip | Arrest] = []
        more = too_short = False
        said = await self._purposes.of(visitor)
        purpose = next((each for each in said if each.id == visitor.purpose), None)
        if question and purpose is not None:  # nobody searches without saying why
            try:
                found, more = await self._asking.search(parse(question))
            except InvalidArgument:  # the services say how much is enough
                too_short = True
        return self._page(
            request,
            visitor,
            "search.html",
            question=question,
            purpose=purpose,
            said=said,
            bad="bad" in request.query_params,
            found=[(each.name, each.handling.caveat, record.title_of(each)) for each in found],
            more=more,
            short=lead.short_of,
            link=lead.link_of,
            too_short=too_short,
        )

    async def _say_purpose(self, request: Request, visitor: Visitor) -> Response:
        """Take why the officer asks from here on, and go back to what they wanted to ask."""
        form = await read_visitors_form(request, visitor)
        place = place_of(field(form, "place"))
        if field(form, "again"):
            await self._purposes.take(visitor, field(form, "again"))
        elif not await self._purposes.say(
            visitor, form=field(form, "form"), case=field(form, "case"), reason=field(form, "reason")
        ):
            return RedirectResponse("/search?bad", status_code=303)
        return RedirectResponse(place, status_code=303)

    async def _peers(self, request: Request, visitor: Visitor) -> Response:
        now = self._clock.now()
        rows = peers.view(await self._asking.peers(), now_seconds=now.timestamp())
        return self._page(request, visitor, "peers.html", peers=rows, now=now)

    async def _list_notes(self, request: Request, visitor: Visitor) -> Response:
        before = request.query_params.get("before", "")
        listed = await self._notes.page(int(before) if before.isdecimal() and len(before) < 10 else None)  # noqa: PLR2004
        return self._page(request, visitor, "notes.html", notes=listed, bad=False)

    async def _add_note(self, request: Request, visitor: Visitor) -> Response:
        form = await read_visitors_form(request, visitor)
        if not await self._notes.add(form=field(form, "form"), officer=visitor.officer, text=field(form, "text")):
            listed = await self._notes.page(None)
            return self._page(request, visitor, "notes.html", status=400, notes=listed, bad=True)
        return RedirectResponse("/notes", status_code=303)

    async def _follow(self, request: Request, visitor: Visitor) -> Response:
        del visitor  # the services know who asks
        of = request.query_params.get("of", "leads")
        if of not in self._feeds:
            raise NotFoundOrDenied("DENIED", "there is no such feed")
        # What the officer may not list they are not told of either.
        await (self._asking.leads(size=1) if of == "leads" else self._asking.clocks(size=1))
        held = request.cookies.get(self._cookie, "")

        async def is_open() -> bool:
            try:
                await self._sessions.find(held, acts=False)
            except SessionOverError:
                return False
            return True

        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(
            await self._feeds[of].open(last[:100], is_open=is_open),
            media_type="text/event-stream",
            headers={"cache-control": "no-store"},
        )

    async def _sheet(self, request: Request, visitor: Visitor) -> Response:
        return Response(self._pages.sheet(setting_of(request).language, visitor), media_type=_TYPES["css"])

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = STATIC.get(name)
        if content is None:
            raise NotFoundOrDenied("DENIED", "there is no such file")
        return Response(
            content,
            media_type=_TYPES[name.rpartition(".")[2]],
            headers={"cache-control": "public, max-age=31536000, immutable"},
        )

    # What holds for all of them

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Let in whoever has a session, and have the services asked with their token."""

        async def guarded(request: Request) -> Response:
            # What a page asks for by itself is nothing that a person does.
            acts = request.method == "POST" or not is_by_itself(request)
            acts = acts and request.url.path not in {"/feed", "/print.css"}
            visitor = await self._sessions.find(request.cookies.get(self._cookie, ""), acts=acts)
            ON_BEHALF_OF.set(await self._sessions.token(visitor))
            PURPOSE.set(visitor.purpose)
            began = time.perf_counter()
            answer = await handler(request, visitor)
            answer.headers["server-timing"] = f"page;dur={(time.perf_counter() - began) * 1000:.1f}"
            return answer

        return guarded

    def _page(
        self, request: Request, visitor: Visitor, template: str, *, status: int = 200, **values: object
    ) -> Response:
        place = request.url.path if request.method == "GET" else "/"
        if request.method == "GET" and request.url.query:
            place = f"{place}?{request.url.query}"
        return self._pages.page(template, setting_of(request), visitor, place, status=status, **values)

    def _failures(self) -> dict[int | type[Exception], Callable[[Request, Exception], Response]]:
        def told(status: int, key: str) -> Callable[[Request, Exception], Response]:
            def answer(request: Request, error: Exception) -> Response:
                del error  # it may say more than the reader may know
                return self._pages.page("failure.html", setting_of(request), None, "/", status=status, key=key)

            return answer

        def sign_in(request: Request, error: Exception) -> Response:
            del error
            if is_by_itself(request):
                return Response(status_code=401, headers={"hx-redirect": "/locked"})
            if request.url.path in {"/feed", "/links"}:
                return Response(status_code=401)
            return RedirectResponse("/locked", status_code=303)

        return {
            404: told(404, "not_found"),
            405: told(405, "bad"),
            NotFoundOrDenied: told(404, "not_found"),
            NotAllowed: told(403, "refused"),
            InvalidArgument: told(400, "bad"),
            ForgedFormError: told(403, "bad"),
            SessionOverError: sign_in,
            # An officer's token that the services believe no more.
            Unauthenticated: sign_in,
            LogAwayError: told(503, "away"),
            RenkeiError: told(503, "away"),
            # Nobody knows now who may be what: see `Sessions.token`.
            SettingsError: told(503, "away"),
        }
