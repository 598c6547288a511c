"""What is known of a request before any page looks at it: in which language, with what form."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.datastructures import FormData

from renkei_chassis.errors import InvalidArgument
from renkei_desk.words import LANGUAGES

if TYPE_CHECKING:
    from starlette.requests import Request

    from renkei_desk.sessions import Visitor

LANGUAGE_COOKIE: Final = "renkei-language"
THEME_COOKIE: Final = "renkei-theme"
THEMES: Final = ("day", "night")
_MAX_FORM_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 80  # a form of the inbox names up to fifty leads
_FORM_INVALID: Final = "FIELD_INVALID"


class ForgedFormError(Exception):
    """A form did not come from a page of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a page is to be shown."""

    language: str
    theme: str
    """`day` or `night`; empty: as the machine says."""


def is_by_itself(request: Request) -> bool:
    """Tell whether an open page asks for itself anew, and no person for anything."""
    return "hx-request" in request.headers


def setting_of(request: Request) -> Setting:
    """Read language and colours; what is not known is the default."""
    language = request.cookies.get(LANGUAGE_COOKIE, "")
    theme = request.cookies.get(THEME_COOKIE, "")
    return Setting(language=language if language in LANGUAGES else "ja", theme=theme if theme in THEMES else "")


async def read_form(request: Request) -> FormData:
    """Read a form of bounded size, which a browser sent from a page of this very place.

    Raises ForgedFormError, and InvalidArgument for what is no form.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForgedFormError
    origin = request.headers.get("origin")
    if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host', '')}":
        raise ForgedFormError
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _MAX_FORM_BYTES:
            raise InvalidArgument(_FORM_INVALID, "the form is too large")
    try:
        pairs = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise InvalidArgument(_FORM_INVALID, "the form cannot be read") from None
    return FormData([*pairs])


async def read_visitors_form(request: Request, visitor: Visitor) -> FormData:
    """Read a form that brings back the visitor's own key. Raises ForgedFormError."""
    form = await read_form(request)
    key = form.get("form_key")
    if not isinstance(key, str) or not compare_digest(key.encode(), visitor.form_key.encode()):
        raise ForgedFormError
    return form


def field(form: FormData, name: str) -> str:
    """Give a field of a form, its line ends the plain ones; empty where it is missing."""
    value = form.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def place_of(path: str) -> str:
    """Give a path of this desk to go back to; the inbox where it is none."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return "/"
    return path
