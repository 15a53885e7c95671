from __future__ import annotations

import threading

import pytest

from khoj_ls.core import metrics
from khoj_ls.core.metrics import Metrics


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says next; the last one for ever."""
    times = [0.0]
    monkeypatch.setattr(metrics, "perf_counter", lambda: times.pop(0) if len(times) > 1 else times[0])
    return times


def test_counts_and_times(clock: list[float]) -> None:
    counted = Metrics()
    clock[:] = [0, 0.010, 0, 0.020, 0, 0.100, 0]
    for _ in range(2):
        with counted.timed("search"):
            pass
    with pytest.raises(ValueError), counted.timed("search"):
        raise ValueError
    (timing,) = counted.timings().values()
    assert (timing.count, timing.failed, timing.running) == (3, 1, 0)
    assert (timing.p50_ms, timing.p95_ms, timing.max_ms) == (20.0, 100.0, 100.0)


@pytest.mark.parametrize(("count", "p50", "p95", "most"), [(1, 1, 1, 1), (20, 10, 19, 20), (612, 356, 587, 612)])
def test_ranks_are_those_of_the_latest(clock: list[float], count: int, p50: int, p95: int, most: int) -> None:
    counted = Metrics()
    clock[:] = [time for number in range(1, count + 1) for time in (0, number / 1000)] + [0]
    for _ in range(count):
        with counted.timed("x"):
            pass
    timing = counted.timings()["x"]
    assert (timing.count, timing.p50_ms, timing.p95_ms, timing.max_ms) == (count, p50, p95, most)


def test_what_runs_is_told_and_threads_lose_no_count() -> None:
    counted = Metrics()

    def many() -> None:
        for _ in range(500):
            with counted.timed("x"):
                pass

    with counted.timed("long"):
        threads = [threading.Thread(target=many) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = counted.timings()
    assert (told["x"].count, told["x"].running, told["long"].count, told["long"].running) == (4000, 0, 0, 1)
