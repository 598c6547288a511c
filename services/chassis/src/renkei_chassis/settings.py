"""Settings: plain pydantic models, read from one TOML file and the environment, refused by name.

A model sets `model_config = STRICT` and describes every field. `load` reads one section of the file; an environment
variable `RENKEI_<SECTION>_<FIELD>` (a nested field: `RENKEI_<SECTION>_<OUTER>_<FIELD>`) goes before the file. What is
wrong is a SettingsError such as `node.toml: tips.port: Input should be less than 32768`; it never repeats the value.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from renkei_chassis.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic.fields import FieldInfo

__all__ = ["STRICT", "SettingsError", "describe", "load", "undescribed"]

STRICT: Final = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
"""What every settings model is made with: no unknown key, no infinite limit, no change after the start."""

_Settings = TypeVar("_Settings", bound=BaseModel)
_PREFIX: Final = "RENKEI"
_SHOWN_KEY: Final = 40


def load(
    model: type[_Settings], path: Path, section: str | None = None, *, environ: Mapping[str, str] | None = None
) -> _Settings:
    """Read the settings of `section` (or of the whole file), or raise SettingsError.

    A section that is not in the file has its defaults; a file that is not there is an error. The environment is read
    for sections only: a whole file has no name of its own to begin a variable with.
    """
    _refuse_lenient(model)
    values = _section(path, section)
    if section is not None:
        _override(model, values, f"{_PREFIX}_{section.upper()}_", os.environ if environ is None else environ)
    try:
        # JSON, because strict mode then still takes a path or an enum from its text, but no port from "7000".
        return model.model_validate_json(json.dumps(values, default=_plain), strict=True)
    except ValidationError as error:
        place = path.name if section is None else f"{path.name}: {section}"
        raise SettingsError(_told(error, place, model, joint=": " if section is None else ".")) from None


def describe(model: type[BaseModel], section: str) -> str:
    """Write the Markdown table of a section's settings, for docs/settings.md."""
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for path, field in _fields(model):
        name = ".".join((section, *path))
        rows.append(f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(field.description or '')} |")
    return "\n".join(rows) + "\n"


def undescribed(model: type[BaseModel]) -> list[str]:
    """List the fields that say nothing about themselves; a test wants this empty."""
    return [".".join(path) for path, field in _fields(model) if not (field.description or "").strip()]


def _section(path: Path, section: str | None) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None
    if section is None:
        return values
    chosen = values.get(section, {})
    if not isinstance(chosen, dict):
        raise SettingsError(f"{path.name}: {section}: must be a section, [{section}]")
    return chosen


def _override(model: type[BaseModel], values: dict[str, Any], prefix: str, environ: Mapping[str, str]) -> None:
    """Put the environment's values over the file's; refuse a variable that names no setting."""
    known = {prefix + "_".join(path).upper(): (path, field) for path, field in _fields(model)}
    for variable, text in environ.items():
        if not variable.startswith(prefix):
            continue
        if variable not in known:
            raise SettingsError(f"{variable}: no such setting{_meant(variable, known)}")
        path, field = known[variable]
        # A list of one's own type cannot come from a text; validate_strings says so.
        adapter = _adapter(field)
        try:
            value = adapter.dump_python(adapter.validate_strings(text), mode="json")
        except ValidationError as error:
            raise SettingsError(f"{variable}: {error.errors(include_input=False)[0]['msg']}") from None
        inner = values
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{variable}: {part} is not a section in the file")
        inner[path[-1]] = value


def _fields(model: type[BaseModel], before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Walk through the fields that hold a value, those of inner sections under their dotted names."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _fields(inner, (*before, name))
        else:
            yield (*before, name), field


def _refuse_lenient(model: type[BaseModel]) -> None:
    if model.model_config.get("extra") != "forbid":
        raise TypeError(f"{model.__name__} must be made with model_config = STRICT")
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            _refuse_lenient(field.annotation)


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = field.annotation  # never None in a model's field, whatever its type says
    return TypeAdapter(annotation)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(f"TOML has no {type(value).__name__}")  # pragma: no cover (tomllib makes nothing else)


def _told(error: ValidationError, place: str, model: type[BaseModel], *, joint: str) -> str:
    """Name every broken setting, one a line, without its value."""
    lines = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part)[:_SHOWN_KEY] for part in fault["loc"])
        what = fault["msg"]
        if fault["type"] == "extra_forbidden":
            what = f"no such setting{_meant(name, ['.'.join(path) for path, _ in _fields(model)])}"
        lines.append(f"{place}{joint}{name}: {what}" if name else f"{place}: {what}")
    return "\n".join(lines)


def _meant(name: str, known: Mapping[str, object] | list[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; is {close[0]} meant?" if close else ""


def _type(field: FieldInfo) -> str:
    """Tell the type and its bounds in the words of the JSON schema."""
    schema = _adapter(field).json_schema()
    for bound in field.metadata:
        for name in ("gt", "ge", "lt", "le", "min_length", "max_length"):
            if (value := getattr(bound, name, None)) is not None:
                schema[name] = value
    words = " or ".join(str(part.get("type", "one of several")) for part in schema.get("anyOf", [schema]))
    if "enum" in schema:
        words = "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    signs = {"gt": "> ", "ge": "≥ ", "lt": "< ", "le": "≤ ", "min_length": "length ≥ ", "max_length": "length ≤ "}
    bounds = [f"{sign}{schema[name]}" for name, sign in signs.items() if name in schema]
    return _cell(", ".join([words, *bounds]))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    adapter = _adapter(field)
    return _cell(f"`{json.dumps(adapter.dump_python(field.get_default(call_default_factory=True), mode='json'))}`")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
