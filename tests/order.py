"""Let long tests come first: nobody shall wait for one that began when the others were nearly done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def put_slow_first(items: list[pytest.Item]) -> None:
    """Let each of the workers that run side by side begin with its share of what is marked slow."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    # A worker is given a part of the list, and takes from the others when it has run it.
    items[:] = [item for worker in range(workers) for kind in (slow, quick) for item in _share(kind, worker, workers)]


def _share(items: list[pytest.Item], worker: int, workers: int) -> list[pytest.Item]:
    return items[len(items) * worker // workers : len(items) * (worker + 1) // workers]
