"""What a command of `renkei personas` is: a method of the contract, its options, and words about it. Data, no code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "words", "file", "time", "number", "choice", "names", "flag", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An option, and the field of the request that it fills.

    `words` are taken as they stand, from a file (`@FILE`) or from standard input (`-`): what a command line holds,
    every process of the machine can read. `file` takes a file alone.
    """

    option: str
    path: str
    help: str
    kind: Kind = "text"
    required: bool = True
    choices: str = ""
    """The prefix of an enum's values, such as `OUTCOME_`; the enum is the field's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A command."""

    name: str
    method: str
    who: str
    help: str
    example: str
    """What follows the directory in the example of its help."""
    target: str = "name"
    """The field that the argument NAME fills; `agency`: none, the request is about the agency; empty: neither."""
    fields: tuple[Field, ...] = ()
    service: str = "personas"
    """Who is asked: messages of imminent harm are the exchange's."""
    lists: str = ""
    """The field of a page that holds the items, for commands that list."""


REASON: Final = Field(
    option="--reason", path="reason", kind="words", help="Why: words, @FILE, or - for standard input."
)
HASH: Final = Field(option="--hash", path="plan_hash", help="The hash of the plan that you read, as `show` gives it.")
ETAG: Final = Field(option="--etag", path="etag", required=False, help="Refuse if it changed since this was read.")
PLAN: Final = Field(option="--plan", path="plan", kind="plan", help="A TOML file with the fields of the plan.")
