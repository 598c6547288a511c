from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests import order


@pytest.mark.parametrize(
    ("workers", "wanted"),
    [
        ("1", "slow-0 slow-1 slow-2 0 1 2 3"),
        ("2", "slow-0 0 1 slow-1 slow-2 2 3"),
        ("3", "slow-0 0 slow-1 1 slow-2 2 3"),
    ],
)
def test_every_worker_begins_with_long_tests_and_no_test_is_left_out(
    workers: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def item(name: str) -> Any:  # noqa: ANN401 (it stands for a test)
        return SimpleNamespace(name=name, get_closest_marker=lambda _mark: name.startswith("slow") or None)

    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", workers)
    items = [item(name) for name in ("0", "slow-0", "1", "slow-1", "2", "3", "slow-2")]

    order.put_slow_first(items)

    assert " ".join(item.name for item in items) == wanted
