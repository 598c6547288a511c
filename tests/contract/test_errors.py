"""Every reason for a refusal is explained once, and the code gives no other."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import grpc
import pytest

from renkei_chassis import errors
from tests.contract.source import ROOT, Element, Kind, of_kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX: Final = "ERROR_REASON_"
REASONS: Final = of_kind(Kind.VALUE, lambda value: value.parent.endswith(".ErrorReason"))
GIVEN: Final = [reason for reason in REASONS if reason.proto.number]
CLASSES: Final = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.RenkeiError) and kind is not errors.RenkeiError
}
# Raised by a client about its server: no server ever sends them.
OF_CLIENTS: Final = {"PAGE_TOKEN_REPEATED", "STREAM_ENDED"}


def reason_of(value: Element) -> str:
    return value.short.removeprefix(PREFIX)


def test_every_package_that_serves_has_an_enum_of_reasons() -> None:
    serving = {service.package for service in of_kind(Kind.SERVICE)}

    assert serving - {"renkei.event.v1"} <= {reason.package for reason in REASONS}


@pytest.mark.parametrize("value", GIVEN, ids=str)
def test_every_reason_has_its_status_an_example_and_advice(value: Element) -> None:
    said = re.search(r"Status ([A-Z_]+)\. Example: (.+)", value.comment)

    assert said is not None
    assert said[1] in grpc.StatusCode.__members__
    assert len(re.findall(r"[^ .]{2,}[^.]*[.:]", said[2])) >= 2, "an example, then what a caller does about it"


@pytest.mark.parametrize("value", REASONS, ids=str)
def test_a_reason_has_the_prefix_that_is_cut_off(value: Element) -> None:
    assert re.fullmatch(PREFIX + r"[A-Z][A-Z0-9_]+", value.short)


def test_a_reason_stands_in_one_package_alone() -> None:
    """`ErrorInfo` gives the reason without its package."""
    homes: dict[str, list[str]] = {}
    for value in GIVEN:
        homes.setdefault(reason_of(value), []).append(value.package)

    assert {reason: packages for reason, packages in homes.items() if len(packages) > 1} == {}


def sources() -> Iterator[Path]:
    for folder in sorted((ROOT / "services").glob("*/src/renkei_*")):
        yield from sorted(folder.rglob("*.py"))


def raised(path: Path) -> Iterator[tuple[str, str]]:
    """Give the class and the reason of every error that a module makes with a literal reason."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if called in CLASSES and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield called, first.value


def test_the_code_gives_no_reason_that_the_contract_does_not_explain() -> None:
    statuses = {reason_of(value): re.search(r"Status ([A-Z_]+)", value.comment) for value in GIVEN}
    found = {(path.name, kind, reason) for path in sources() for kind, reason in raised(path)}

    wrong = {
        (module, kind, reason)
        for module, kind, reason in found
        if reason not in OF_CLIENTS and ((said := statuses.get(reason)) is None or CLASSES[kind].code.name != said[1])
    }

    assert len(found) > 5
    assert wrong == set()
