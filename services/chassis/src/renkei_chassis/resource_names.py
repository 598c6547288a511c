"""Resource names such as `agencies/jp-12/tips/0191…`: parsed, formatted, refused.

An agency is a lower-case code (`jp-npa`, `jp-12`); every other id is a lower-case UUID or slug. One
thing has one spelling: no upper case, no percent signs, no trailing slash, nothing but ASCII.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

INVALID_RESOURCE_NAME: Final = "INVALID_RESOURCE_NAME"
MAX_LENGTH: Final = 256
WILDCARD: Final = "-"

_AGENCY: Final = r"[a-z]{2}-[a-z0-9]{2,8}"
_SLUG: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"  # every canonical UUID is one, too
_VARIABLE: Final = re.compile(r"\{([a-z_]+)\}")
_LITERAL: Final = re.compile(r"[a-z][A-Za-z]*")
_AGENCY_CODE: Final = re.compile(_AGENCY)
_OF_AGENCY: Final = re.compile(rf"agencies/({_AGENCY})(?:/[a-zA-Z]+/{_SLUG})*")


class Pattern:
    """The form of one kind of name: `Pattern("agencies/{agency}/tips/{tip}")`.

    `{agency}` stands for an agency code, any other variable for a UUID or a slug. A variable in
    `wildcards` also takes `-`, which reads "any": `Pattern("agencies/{agency}",
    wildcards=("agency",))` for the parent of a List.
    """

    __slots__ = ("_format", "_regexp", "_segments", "template", "variables")

    def __init__(self, template: str, *, wildcards: Collection[str] = ()) -> None:
        """Compile the template; raise ValueError when it is not one."""
        self.template = template
        self._segments: dict[str, re.Pattern[str]] = {}
        whole: list[str] = []
        for segment in template.split("/"):
            variable = _VARIABLE.fullmatch(segment)
            if variable is None:
                if _LITERAL.fullmatch(segment) is None:
                    raise ValueError(f"{segment!r} in {template!r} is neither a collection nor a variable")
                whole.append(segment)
                continue
            name = variable.group(1)
            if name in self._segments:
                raise ValueError(f"{name!r} stands twice in {template!r}")
            form = _AGENCY if name == "agency" else _SLUG
            form = f"(?:{form}|{WILDCARD})" if name in wildcards else form
            self._segments[name] = re.compile(form)
            whole.append(f"(?P<{name}>{form})")
        if unknown := set(wildcards) - set(self._segments):
            raise ValueError(f"{template!r} has no variable {', '.join(sorted(unknown))}")
        self.variables = tuple(self._segments)
        self._regexp = re.compile("/".join(whole))
        self._format = template.format

    def __repr__(self) -> str:
        """Show the template."""
        return f"Pattern({self.template!r})"

    def parse(self, name: str, *, field: str = "name") -> Mapping[str, str]:
        """Take the name apart, or raise INVALID_RESOURCE_NAME with `field` as the violation.

        The refusal never repeats the name: it may be anything, also a telephone number.
        """
        found = self._regexp.fullmatch(name) if len(name) <= MAX_LENGTH else None
        if found is None:
            raise _refusal(
                f"does not have the form {self.template}",
                field=field,
                pattern=self.template,
                length=len(name),
            )
        return found.groupdict()

    def matches(self, name: str) -> bool:
        """Say whether the name has this form."""
        return len(name) <= MAX_LENGTH and self._regexp.fullmatch(name) is not None

    def format(self, **ids: str | UUID) -> str:
        """Put a name together, or raise INVALID_RESOURCE_NAME when an id is not one.

        Which variables there are is the caller's own code: a missing or unknown one is a TypeError.
        """
        if ids.keys() != self._segments.keys():
            raise TypeError(f"{self!r} takes {', '.join(self.variables)}")
        texts = {key: str(value) for key, value in ids.items()}
        for key, text in texts.items():
            if self._segments[key].fullmatch(text) is None:
                raise _refusal(f"has a wrong {key}", field=key, pattern=self.template, length=len(text))
        return self._format(**texts)


def agency_of(name: str, *, field: str = "name") -> str:
    """Tell whose name of any kind it is: `jp-12` of `agencies/jp-12/tips/…`."""
    found = _OF_AGENCY.fullmatch(name) if len(name) <= MAX_LENGTH else None
    if found is None:
        raise _refusal(
            "does not begin with an agency",
            field=field,
            pattern="agencies/{agency}/…",
            length=len(name),
        )
    return found.group(1)


def is_agency_code(text: str) -> bool:
    """Say whether the text is an agency code such as `jp-npa` or `jp-12`."""
    return _AGENCY_CODE.fullmatch(text) is not None


def _refusal(what: str, *, field: str, pattern: str, length: int) -> InvalidArgument:
    return InvalidArgument(
        INVALID_RESOURCE_NAME,
        f"the resource name in {field} {what}",
        metadata={"field": field, "pattern": pattern, "length": str(length)},
        violations=[FieldViolation(field=field, description=what)],
    )


AGENCY: Final = Pattern("agencies/{agency}")
SERVICE: Final = Pattern("agencies/{agency}/services/{service}")
OFFICER: Final = Pattern("agencies/{agency}/officers/{officer}")
LOG: Final = Pattern("agencies/{agency}/logs/{service}")
