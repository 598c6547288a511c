"""How a writer's process comes by the rules of its service: it wires the service once more, and takes what writes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Never

from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.log.append import read_end
from renkei_chassis.log.changes import Changes
from renkei_chassis.log.log import Log
from renkei_chassis.rpc.page_tokens import PageTokens
from renkei_chassis.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.process.frames import Key, Recipe, Resolve
    from renkei_chassis.rpc.methods import Api
    from renkei_chassis.service import Parts, Wiring


class _Absent:
    """Stands where a part is that only the service itself has: it may be passed on, and not be used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Never:
        raise RuntimeError(f"the writer's process has no {self._name}: a rule must not call anybody")


def by_path(api: Api) -> Mapping[str, WriteMethod]:
    """Give the methods that write, by path."""
    return {
        f"/{service}/{name}": method
        for service, methods in api.items()
        for name, method in methods.items()
        if isinstance(method, WriteMethod)
    }


def recipe(wire: Callable[[Parts], Wiring], *, agency: str, service: str) -> Recipe:
    """Describe how the methods are made in another process. `wire` must be one that pickle can carry there."""
    return partial(_make, wire, agency, service)


def _make(wire: Callable[[Parts], Wiring], agency: str, service: str, database: Database, clock: Clock) -> Resolve:
    from renkei_chassis.service import Parts  # noqa: PLC0415 (which in turn starts this process)

    with database.writing.connect() as connection:
        position = read_end(connection)
        connection.rollback()
    log = Log(name=f"{agency}/logs/{service}", database=database, position=position)
    tokens = PageTokens(database.secret)

    def absent(name: str) -> Any:  # noqa: ANN401 (it stands for parts of several types)
        return _Absent(name)

    parts = Parts(
        agency=agency,
        database=database,
        writer=absent("writer"),
        log=log,
        changes=Changes(log=log, tokens=tokens),
        clock=clock,
        tokens=tokens,
        metrics=Metrics(service),
        alarms=absent("alarms"),
        minter=absent("minter"),
        courier=None,
        client=lambda other: absent(f"client of {other}"),
    )
    methods = by_path(wire(parts).api)

    def resolve(key: Key) -> WriteMethod:
        return methods[str(key)]

    return resolve
