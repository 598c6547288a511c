"""The names of what this service keeps, and whom each is shown to."""

from __future__ import annotations

import uuid
from typing import Final

from renkei_chassis.errors import NotFoundOrDenied
from renkei_chassis.resource_names import Pattern

PARENT: Final = Pattern("agencies/{agency}")
PERSONA: Final = Pattern("agencies/{agency}/personas/{persona}")
PART: Final = {
    kind: Pattern(f"agencies/{{agency}}/personas/{{persona}}/{kind}/{{part}}")
    for kind in ("documents", "contacts", "tasks", "disclosures")
}
PLAN: Final = Pattern("agencies/{agency}/plans/{plan}")


def denied() -> NotFoundOrDenied:
    """Refuse in words that do not tell whether something exists."""
    return NotFoundOrDenied("DENIED", "the caller may not do this to the record")


class Names:
    """Makes and reads the names of one agency."""

    def __init__(self, agency: str) -> None:
        """Take the agency, `agencies/jp-12`."""
        self.agency = agency

    def own(self, parent: str) -> None:
        """Refuse another agency's name as if it were missing."""
        PARENT.parse(parent, field="parent")
        if parent != self.agency:
            raise denied()

    def persona(self, persona: bytes) -> str:
        """Name an investigation."""
        return f"{self.agency}/personas/{uuid.UUID(bytes=persona)}"

    def part(self, persona: bytes, kind: str, part: bytes | int) -> str:
        """Name a document, contact, task or disclosure."""
        text = str(part) if isinstance(part, int) else str(uuid.UUID(bytes=part))
        return f"{self.persona(persona)}/{kind}/{text}"

    def plan(self, plan_id: bytes) -> str:
        """Name a plan as the NPA knows it."""
        return f"{self.agency}/plans/{uuid.UUID(bytes=plan_id)}"

    def read_persona(self, name: str, *, field: str = "name") -> bytes:
        """Read an investigation's key out of its name; another agency's looks like a missing one."""
        persona = _uuid(PERSONA.parse(name, field=field)["persona"])
        if name != self.persona(persona):
            raise denied()
        return persona

    def read_part(self, name: str, kind: str, *, field: str = "name") -> tuple[bytes, bytes]:
        """Read the keys of an investigation and of a document or disclosure."""
        found = PART[kind].parse(name, field=field)
        persona, part = _uuid(found["persona"]), _uuid(found["part"])
        if name != self.part(persona, kind, part):
            raise denied()
        return persona, part

    def read_numbered(self, name: str, kind: str, *, field: str = "name") -> tuple[bytes, int]:
        """Read an investigation's key and the number of a contact or task."""
        found = PART[kind].parse(name, field=field)
        persona, number = _uuid(found["persona"]), found["part"]
        if not number.isdecimal() or len(number) > _DIGITS or name != self.part(persona, kind, int(number)):
            raise denied()
        return persona, int(number)


_DIGITS: Final = 9


def _uuid(text: str) -> bytes:
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        raise denied() from None
