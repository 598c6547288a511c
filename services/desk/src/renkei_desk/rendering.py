"""Make HTML of what a page has to show. Templates are read once, at import; every value in them is escaped."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from renkei_desk.domain.dates import JAPAN, ago, day_in_words, in_words
from renkei_desk.outlines import name_of
from renkei_desk.words import say, say_value

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from google.protobuf.timestamp_pb2 import Timestamp

    from renkei_desk.request import Setting
    from renkei_desk.sessions import Visitor

_HOME: Final = files("renkei_desk")
STATIC: Final = {
    path.name: path.read_bytes()
    for path in (_HOME / "static").iterdir()
    if path.name in {"desk.css", "desk.js", "htmx.js", "mark.svg", "pictures.css"}
}
"""The files that pages refer to, by name."""
_TEMPLATES: Final = {
    path.name: path.read_text("utf-8")
    for path in (_HOME / "templates").iterdir()
    if path.name.endswith((".html", ".svg"))
}
_VERSIONS: Final = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in STATIC.items()}
_DAY: Final = STATIC["desk.css"].decode().partition("}")[0] + "}\n"
_PICTURES: Final = Markup(_DAY + STATIC["pictures.css"].decode())  # noqa: S704 (a file of our own)
_TURNING: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BIDI: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in _TURNING}
_PARTS: Final = 1024
NAVIGATION: Final = (
    ("/", "inbox"),
    ("/search", "search"),
    ("/clocks", "clocks"),
    ("/map", "map"),
    ("/figures", "figures"),
    ("/peers", "peers"),
    ("/notes", "notes"),
)


class Pages:
    """Renders the pages of one agency's desk."""

    def __init__(self, *, agency_name: str, training: bool, now: Callable[[], datetime]) -> None:
        """Take what stands on every page, and the clock."""
        self._now = now
        self._shown = {"agency_name": agency_name, "training": training, "navigation": NAVIGATION}
        self._environment = Environment(
            loader=DictLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(plain=plain, officer=lambda name: name.rpartition("/")[2])
        self._environment.globals.update(
            static=lambda name: f"/static/{_VERSIONS[name]}/{name}", style=lambda: _PICTURES
        )
        # Fifty desks that show the same lead show the same row.
        self._part = lru_cache(_PARTS)(self._make_part)

    def label(self, language: str, visitor: Visitor) -> str:
        """Say what something is that leaves the desk, on paper or as a file: handling, whose, and when."""
        parts = [
            say("training", language) if self._shown["training"] else "",
            say("handle_with_care", language),
            str(self._shown["agency_name"]),
            visitor.officer.rpartition("/")[2],
            in_words(self._now(), language),
        ]
        return " ・ ".join(part for part in parts if part)

    def sheet(self, language: str, visitor: Visitor) -> str:
        """Write the style sheet of paper, which says on every page what it is, whose, when, and which of how many."""
        label = _in_css(self.label(language, visitor))
        return (
            "@page { "
            f'@top-left {{ content: "{label}"; font-size: 8pt; color: #000; }} '
            '@bottom-right { content: counter(page) " / " counter(pages); font-size: 9pt; color: #000; } }\n'
        )

    def picture(self, setting: Setting, **values: Any) -> str:  # noqa: ANN401 (the view of any picture)
        """Make a picture that stands alone, in the colours of the day."""
        template = self._environment.get_template("picture.svg")
        return template.render(setting=setting, **_words(setting.language), **values).strip()

    def page(
        self,
        template: str,
        setting: Setting,
        visitor: Visitor | None,
        place: str,
        *,
        status: int = 200,
        **values: Any,  # noqa: ANN401 (the view of any page)
    ) -> HTMLResponse:
        """Render a page. `place` is where the language switch leads back to."""
        text = self._environment.get_template(template).render(
            **self._shown,
            **_words(setting.language),
            setting=setting,
            visitor=visitor,
            place=place,
            form_id=str(uuid4()),
            printed=in_words(self._now(), setting.language),
            new_id=lambda: str(uuid4()),
            part=self._part,
            **values,
        )
        return HTMLResponse(text, status_code=status)

    def _make_part(self, template: str, language: str, row: Hashable) -> Markup:
        """Render a part of a page that follows from these alone: neither who looks nor when."""
        text = self._environment.get_template(template).render(**_words(language), row=row)
        return Markup(text)  # noqa: S704 (made by a template of ours, which escapes)


def _words(language: str) -> dict[str, Callable[..., str]]:
    """Give what templates say things with."""

    def moment(timestamp: Timestamp | None) -> str:
        return "" if timestamp is None or not timestamp.seconds else in_words(moment_of(timestamp), language)

    return {
        "say": lambda key: say(key, language),
        "value": lambda name: say_value(name, language),
        "moment": moment,
        "prefecture": lambda agency: name_of(agency, language),
        "ago": lambda seconds: ago(seconds, language),
        "written": lambda when: in_words(when, language),
        "day": lambda when: day_in_words(when, language),
        "on_day": lambda when: day_in_words(when.astimezone(JAPAN).date(), language),
    }


def _in_css(text: str) -> str:
    """Write a text so that it stays one inside of quotation marks in a style sheet."""
    return "".join(sign if sign.isalnum() or sign in " ・（）:-" else f"\\{ord(sign):06x}" for sign in text)


def plain(text: str) -> str:
    """Show the signs that turn the direction of writing, or hide in it, instead of obeying them."""
    return text.translate(_BIDI)


def moment_of(timestamp: Timestamp) -> datetime:
    """Give a timestamp as Python has it."""
    return timestamp.ToDatetime(tzinfo=UTC)
