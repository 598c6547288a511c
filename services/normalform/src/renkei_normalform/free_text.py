"""Find identifiers in free text: where they stand, as what they were written, and their normal form."""

from collections.abc import Collection
from dataclasses import dataclass

from renkei_normalform.forms import IdentifierType, NormalForm
from renkei_normalform.normal import normalize
from renkei_normalform.refusal import NotAnIdentifier
from renkei_normalform.view import view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIdentifier:
    """One identifier in a text: `text[start:end] == original`, and `form` is what `normalize` makes of it."""

    start: int
    end: int
    original: str
    form: NormalForm


def find_identifiers(text: str, types: Collection[IdentifierType] = tuple(IdentifierType)) -> list[FoundIdentifier]:
    """Return the identifiers of a text in their order, none of them overlapping another.

    Total and linear: any text of any length has an answer. A suggestion, for a person to confirm: what stands in a
    text may have been quoted, negated or crossed out. Names and codes of modus operandi are not looked for, since
    any word could be one. An IMEI or IMSI must be called one, because a tenth of all long numbers has a fitting check
    digit.
    """
    from renkei_normalform.candidates import SEARCHES  # noqa: PLC0415 (patterns that only this needs: 50 ms)

    view = view_of(text)
    taken = bytearray(len(view.text))
    found: list[FoundIdentifier] = []
    for kinds, search in SEARCHES:
        wanted = [kind for kind in kinds if kind in types]
        if not wanted:
            continue
        for start, end in search(view):
            if 1 in taken[start:end]:
                continue
            first, last = view.original_span(*_trimmed(view.text, start, end))
            if form := _read(text[first:last], wanted):
                taken[start:end] = b"\1" * (end - start)
                found.append(FoundIdentifier(start=first, end=last, original=text[first:last], form=form))
    return sorted(found, key=lambda one: one.start)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())


def _read(original: str, kinds: Collection[IdentifierType]) -> NormalForm | None:
    for kind in kinds:
        try:
            return normalize(kind, original)
        except NotAnIdentifier:
            continue
    return None
