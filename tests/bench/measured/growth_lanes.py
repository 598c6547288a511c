"""What a record costs an exchange among 7 and among 48 agencies: by who receives it, and not by who is there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bench.crowd import CrowdJob, crowd
from tests.bench.figures import Bar, Figure, Line
from tests.bench.pairs import compare, pairs

if TYPE_CHECKING:
    from tests.bench.crowd import Costs
    from tests.bench.figures import Bench

_FEW, _MANY = 7, 48
_RECORDS: Final = 4000  # for one recipient
_IDLE_SECONDS: Final = 3.0


async def growth(
    bench: Bench, *, few: int = _FEW, many: int = _MANY, records: int = _RECORDS, idle_seconds: float = _IDLE_SECONDS
) -> None:
    """Release the same records in both, to one agency, to six, and to all."""
    some = few - 1
    runs = [(1, records), (some, records // 2), (many - 1, records // 10)]
    found = await pairs(
        partial(crowd, CrowdJob(agencies=many, runs=runs, idle_seconds=idle_seconds)),
        partial(crowd, CrowdJob(agencies=few, runs=runs[:2], idle_seconds=idle_seconds)),
        rounds=bench.pairs,
    )
    for place, name in enumerate(("growth-lane-48-over-7", "growth-lane-6-48-over-7")):
        value, floor, ratio = found.median(lambda costs, place=place: costs.records_us[place])  # type: ignore[misc]
        bench.record(name, value=value, floor=floor, ratio=ratio)
    first = [costs.records_us[0] for costs in found.subject]
    for place, name, more in ((1, "growth-lane-of-six", some - 1), (2, "growth-lane-of-all", many - 2)):
        each = [(costs.records_us[place] - costs.records_us[0]) / more for costs in found.subject]
        value, floor, ratio = compare(each, first)
        bench.record(name, value=value, floor=floor, ratio=ratio)
    value, floor, ratio = found.median(_idle)
    bench.record("growth-lane-idle", value=value, floor=floor, ratio=ratio)


def _idle(costs: Costs) -> float:
    return 100 * costs.idle


_COST: Final = "processor time of an exchange and its nats-server for a record that is released"
FIGURES: Final = [
    Figure(
        name="growth-lanes",
        lines=[
            Line(
                name="growth-lane-48-over-7",
                what=f"{_COST} to one agency, with {_MANY - 1} other agencies, against the same with {_FEW - 1}; the "
                "others are sockets that acknowledge, and no nodes",
                unit="µs",
                bar=Bar(limit=1.5, at_least=False),
            ),
            Line(
                name="growth-lane-6-48-over-7",
                what=f"{_COST} to six agencies, with {_MANY - 1} others against {_FEW - 1}",
                unit="µs",
                bar=Bar(limit=1.5, at_least=False),
            ),
            Line(
                name="growth-lane-of-six",
                what=f"the same for each recipient beyond the first, of six among {_MANY - 1}, against a record to one",
                unit="µs",
            ),
            Line(
                name="growth-lane-of-all",
                what=f"the same for each recipient beyond the first, of all {_MANY - 1}, against a record to one",
                unit="µs",
            ),
            Line(
                name="growth-lane-idle",
                what=f"processor time of both while nothing happens, of one core, with {_MANY - 1} other agencies "
                f"against {_FEW - 1}",
                unit="%",
            ),
        ],
        measure=growth,
    )
]
