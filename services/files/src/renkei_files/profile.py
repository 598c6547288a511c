"""A saved profile: which column of a force's export is which field, and how its cells are read. In TOML."""

import tomllib
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

_MOST_COLUMNS = 200


class Kind(StrEnum):
    """How a cell is read. Nothing is inferred: what the profile does not say is not done."""

    TEXT = "text"
    """Word for word."""
    DIGITS = "digits"
    """Digits in any width; filled with zeros to `width`, and marked, where a spreadsheet ate them."""
    PHONE = "phone"
    """Word for word, but a Japanese number whose first 0 a spreadsheet ate gets it back, and is marked."""
    DAY = "day"
    """A day in the era or not; becomes 2024-10-03."""
    MOMENT = "moment"
    """A day and a time of Japan; becomes 2024-10-03T14:05:00+09:00."""
    CHOICE = "choice"
    """One of the words in `choices`; becomes what stands beside it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnRule(_Strict):
    """One column."""

    field: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,99}$")]
    """What the import calls it, such as `person.display_name`."""
    headers: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(min_length=1, max_length=20)
    ]
    """What the header may say. Width, blanks and case make no difference."""
    kind: Kind = Kind.TEXT
    required: bool = False
    """Whether the column must be there and every cell filled."""
    key: bool = False
    """Whether its cell tells rows apart: two rows with the same keys are one row twice."""
    width: Annotated[int, Field(ge=1, le=40)] | None = None
    """How many digits there are; of kind `digits` alone."""
    max_length: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    choices: Annotated[dict[str, str], Field(max_length=500)] = Field(default_factory=dict)
    """Word in the file, and what it means; of kind `choice` alone."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.width is not None) and self.kind is not Kind.DIGITS:
            raise ValueError("only a column of digits has a width")
        if bool(self.choices) != (self.kind is Kind.CHOICE):
            raise ValueError("a column of choices needs its choices, and no other column has any")
        return self


class Profile(_Strict):
    """How the exports of one system are read."""

    version: Literal[1]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    delimiter: Literal[",", "\t", ";"] = ","
    sheet: Annotated[str, Field(max_length=100)] = ""
    """The sheet of a workbook; empty: the first visible one."""
    other_columns: Literal["ignore", "refuse"] = "ignore"
    """What happens when the file has columns that stand here nowhere."""
    columns: Annotated[tuple[ColumnRule, ...], Field(min_length=1, max_length=_MOST_COLUMNS)]

    @model_validator(mode="after")
    def _each_field_and_header_once(self) -> Self:
        fields = [column.field for column in self.columns]
        headers = [header for column in self.columns for header in {fold_header(each) for each in column.headers}]
        if len(set(fields)) != len(fields):
            raise ValueError("two columns have one field")
        if len(set(headers)) != len(headers):
            raise ValueError("two columns have one header")
        return self


class ProfileError(ValueError):
    """A profile that cannot be used. The message names the place and what is wrong there."""


def read_profile(text: str) -> Profile:
    """Read a profile in TOML."""
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"the profile is no TOML: {error}") from None
    except RecursionError:
        raise ProfileError("the profile is no TOML that anybody wrote: it is nested too deep") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "profile"
        raise ProfileError(f"{place}: {first['msg']}") from None


def fold_header(text: str) -> str:
    """Return a header without width, blanks, line ends and case."""
    import unicodedata  # noqa: PLC0415 (beside its one use)

    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
