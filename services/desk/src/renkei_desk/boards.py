"""The pages that count and warn: the clocks of custody, the map of the region, the figures; and what is taken away."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1.identifiers_pb2 import IDENTIFIER_TYPE_UNSPECIFIED, IdentifierType
from starlette.responses import RedirectResponse
from starlette.routing import Route

from renkei_chassis.errors import FailedPrecondition, NotAllowed, NotFoundOrDenied
from renkei_desk.asking import COUNTED_AT_MOST
from renkei_desk.domain.dates import JAPAN
from renkei_desk.export import csv_file, svg_file
from renkei_desk.following import OPEN
from renkei_desk.pages import clocks, figures, lead, region
from renkei_desk.pages.inbox import code_of
from renkei_desk.request import field, read_visitors_form, setting_of
from renkei_desk.words import say, say_value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from renkei_chassis.clock import Clock
    from renkei_desk.asking import Asking
    from renkei_desk.domain.cases import Case
    from renkei_desk.feed import Feed
    from renkei_desk.pages.figures import Table
    from renkei_desk.pages.region import RegionView, Wanted
    from renkei_desk.rendering import Pages
    from renkei_desk.sessions import Visitor

    Handler = Callable[[Request, Visitor], Awaitable[Response]]
    Guard = Callable[[Handler], Callable[[Request], Awaitable[Response]]]
    Render = Callable[..., Response]

_LEVEL_DIGITS: Final = 3


class Boards:
    """What the navigation leads to beside leads, records and notes."""

    def __init__(
        self,
        *,
        agency: str,
        asking: Asking,
        feeds: Mapping[str, Feed],
        clock: Clock,
        pages: Pages,
        render: Render,
        cases: Sequence[Case],
    ) -> None:
        """Take whom to ask, the logs by service, what makes a page, and the public cases."""
        self._agency = agency
        self._asking = asking
        self._feeds = feeds
        self._clock = clock
        self._pages = pages
        self._render = render
        self._cases = cases

    def routes(self, guarded: Guard) -> list[Route]:
        """Give the addresses of these pages, each behind the door."""
        pages: Sequence[tuple[str, Handler]] = (
            ("/clocks", self._clocks_page),
            ("/clocks.csv", self._clocks_csv),
            ("/map", self._map_page),
            ("/map.csv", self._map_csv),
            ("/map.svg", self._map_svg),
            ("/figures", self._figures_page),
            ("/figures.csv", self._figures_csv),
            ("/figures/{key}.svg", self._figures_svg),
            ("/leads.csv", self._leads_csv),
            ("/leads/{lead}/chart.svg", self._chart_svg),
        )
        return [
            *(Route(path, guarded(page), methods=["GET"]) for path, page in pages),
            Route("/clocks", guarded(self._acknowledge), methods=["POST"]),
        ]

    # 逮捕・勾留

    async def _clocks_page(self, request: Request, visitor: Visitor) -> Response:
        position = await self._feeds["arrests"].begin_for(request)
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
                level=int(level) if level.isdecimal() and len(level) <= _LEVEL_DIGITS else 0,
                note=field(form, "note"),
            )
        return RedirectResponse("/clocks", status_code=303)

    async def _clocks_csv(self, request: Request, visitor: Visitor) -> Response:
        language = setting_of(request).language
        board = clocks.view(await self._asking.clocks(), now=self._clock.now())
        rows = [
            (
                row.arrest,
                row.case,
                say_value(f"CLOCK_{row.kind}", language),
                row.due.astimezone(JAPAN).isoformat(),
                row.percent,
                say("overdue", language) if row.overdue else "",
                row.warned_level,
                row.acknowledger,
            )
            for row in board.rows
        ]
        words = ("arrest", "case", "clock", "due", "passed", "overdue", "warning", "acknowledged")
        return self._csv(request, visitor, "clocks", words, rows)

    # 地図

    async def _region(self, request: Request) -> tuple[Wanted, RegionView]:
        given = request.query_params
        asked = region.wanted(given.get("from", ""), given.get("to", ""), given.get("kind", ""))
        leads = await self._asking.lead_counts(
            states=OPEN,
            begin=asked.begin,
            end=asked.end,
            kind=IdentifierType.Value(asked.kind) if asked.kind else IDENTIFIER_TYPE_UNSPECIFIED,
        )
        members = [code_of(self._agency)]
        with suppress(NotAllowed):
            members += [code_of(peer.name) for peer in (await self._asking.peers()).peers]
        return asked, region.view(leads, self._cases, members, asked, setting_of(request).language)

    async def _map_page(self, request: Request, visitor: Visitor) -> Response:
        position = await self._feeds["leads"].begin_for(request)
        asked, shown = await self._region(request)
        return self._render(
            request,
            visitor,
            "map.html",
            position=position,
            asked=asked,
            view=shown,
            counts={each.jis: each.leads for each in shown.places},
            kinds=region.KINDS,
            cases=bool(self._cases),
        )

    async def _map_csv(self, request: Request, visitor: Visitor) -> Response:
        _, shown = await self._region(request)
        rows = [
            (getattr(each, setting_of(request).language), each.leads, each.supported, each.cases)
            for each in shown.places
        ]
        return self._csv(request, visitor, "map", ("prefecture", "open_leads", "state_2", "cases"), rows)

    async def _map_svg(self, request: Request, visitor: Visitor) -> Response:
        del visitor
        _, shown = await self._region(request)
        if shown.region is None:
            raise NotFoundOrDenied("DENIED", "there is no such picture")
        counts = {each.jis: each.leads for each in shown.places}
        return svg_file("map.svg", self._pages.picture(setting_of(request), kind="region", view=shown, counts=counts))

    # 統計

    async def _tables(self, request: Request) -> Sequence[Table]:
        language = setting_of(request).language
        try:
            arrests = await self._asking.many_arrests()
        except NotAllowed:
            arrests = ([], False)
        return figures.tables(
            leads=await self._asking.lead_counts(),
            arrests=arrests,
            undercover=await self._asking.undercover(self._clock.now().astimezone(JAPAN).year),
            value=lambda name: say_value(name, language),
            language=language,
        )

    async def _figures_page(self, request: Request, visitor: Visitor) -> Response:
        found = await self._tables(request)
        return self._render(
            request, visitor, "figures.html", tables=found, now=self._clock.now(), counted=COUNTED_AT_MOST
        )

    async def _figures_csv(self, request: Request, visitor: Visitor) -> Response:
        language = setting_of(request).language
        rows = [(say(table.key, language), *row) for table in await self._tables(request) for row in table.rows]
        return self._csv(request, visitor, "figures", ("figures", "what", "count"), rows)

    async def _figures_svg(self, request: Request, visitor: Visitor) -> Response:
        del visitor
        key = request.path_params["key"]
        table = next((each for each in await self._tables(request) if each.key == key), None)
        if table is None:
            raise NotFoundOrDenied("DENIED", "there is no such picture")
        return svg_file(f"{table.key}.svg", self._pages.picture(setting_of(request), kind="bars", table=table))

    # What is taken away of leads

    async def _leads_csv(self, request: Request, visitor: Visitor) -> Response:
        language = setting_of(request).language
        leads = await self._asking.many_leads()
        rows = [
            (
                " / ".join(dict.fromkeys(record.caveat for record in each.records if record.caveat)),
                each.name,
                say(f"state_{each.state}", language),
                len(each.records) + each.records_omitted,
                " ".join(sorted({code_of(record.name) for record in each.records})),
                each.explanation_ja if language == "ja" else each.explanation_en,
                each.update_time.ToJsonString(),
            )
            for each in leads
        ]
        words = ("handling", "lead", "state", "records", "agencies", "explanation", "updated")
        return self._csv(request, visitor, "leads", words, rows)

    async def _chart_svg(self, request: Request, visitor: Visitor) -> Response:
        del visitor
        shown = lead.view(await self._asking.lead(request.path_params["lead"]), {})
        picture = self._pages.picture(setting_of(request), kind="chart", view=shown, short=lead.short_of)
        return svg_file("chart.svg", picture)

    def _csv(
        self,
        request: Request,
        visitor: Visitor,
        name: str,
        words: Sequence[str],
        rows: Sequence[Sequence[object]],
    ) -> Response:
        """Give a table as a file, which says above its header what it is, whose, and since when."""
        language = setting_of(request).language
        label = self._pages.label(language, visitor)
        return csv_file(f"{name}.csv", label, [say(word, language) for word in words], rows)
