"""The backlog makes room for who types and for a battery that runs low; what is being written does not wait."""

from __future__ import annotations

import pytest

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.indexing.courtesy import Battery, Courtesy

SETTINGS = EmbeddingSettings(typing_pause_seconds=0.5, battery_percent=20)


class Clock:
    """Seconds that go by when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def courtesy(clock, settings=SETTINGS, power=None):
    return Courtesy(settings, sense=lambda: power, now=clock)


@pytest.mark.parametrize(
    ("typed", "asked", "waits"),
    [
        ([], 0, 0),
        ([0], 0, 0.5),
        ([0], 0.25, 0.25),
        ([0], 0.5, 0),
        ([0, 0.25], 0.5, 0.25),
    ],
)
def test_the_backlog_waits_after_each_change(typed, asked, waits):
    clock = Clock()
    polite = courtesy(clock)
    for at in typed:
        clock.now = 1000 + at
        polite.typed()
    clock.now = 1000 + asked
    assert polite.wait_seconds() == pytest.approx(waits)


def test_who_types_on_and_on_lets_one_batch_pass_every_five_seconds():
    clock, passed = Clock(), []
    polite = courtesy(clock)
    for quarter in range(61):
        clock.now = 1000 + quarter / 4
        polite.typed()
        if polite.wait_seconds() == 0:
            passed.append(quarter / 4)
    assert passed == [5, 10, 15]


@pytest.mark.parametrize(
    ("power", "settings", "waits"),
    [
        (None, SETTINGS, False),
        (Battery(19, plugged=False), SETTINGS, True),
        (Battery(19, plugged=True), SETTINGS, False),
        (Battery(20, plugged=False), SETTINGS, False),
        (Battery(1, plugged=False), EmbeddingSettings(battery_percent=0), False),
    ],
)
def test_the_backlog_waits_for_power_when_the_battery_is_low(power, settings, waits):
    polite = courtesy(Clock(), settings, power)
    assert (polite.wait_seconds() > 0, "19%" in polite.reason) == (waits, waits)


def test_nobody_waits_for_room_who_waits_for_the_index():
    polite = courtesy(Clock(), power=Battery(3, plugged=False))
    polite.typed()
    with polite.insisting():
        assert (polite.wait_seconds(), polite.reason) == (0, "")
    assert polite.wait_seconds() > 0


def test_on_a_low_battery_what_is_written_is_embedded_and_the_rest_on_demand(bench):
    power = [Battery(5, plugged=False)]
    bench.courtesy = Courtesy(EmbeddingSettings(), sense=lambda: power[0])
    bench.write("old.md", "# Old\nlong ago\n")
    bench.open()
    bench.until(lambda: is_waiting(bench.indexer.state()))
    assert bench.covered() == (0, 1)
    bench.indexer.overlay("new.md", "# New\njust now\n", 1)
    bench.until(lambda: bench.covered() == (1, 2))
    assert any("just now" in text for text in bench.encoder.texts)
    bench.indexer.index()
    assert bench.covered() == (2, 2)


def is_waiting(state):
    return "battery is at 5%" in state.message and (state.phase, state.working) == ("waiting", False)


def test_with_power_the_rest_follows_by_itself(bench):
    clock, power = Clock(), [Battery(5, plugged=False)]
    bench.courtesy = Courtesy(EmbeddingSettings(), sense=lambda: power[0], now=clock)
    bench.write("old.md", "# Old\nlong ago\n")
    bench.open()
    bench.until(lambda: is_waiting(bench.indexer.state()))
    power[0], clock.now = Battery(5, plugged=True), clock.now + 60
    bench.write("other.md", "# Other\nthing\n")
    bench.indexer.changed("other.md")  # an occasion to look again; it looks by itself, too, but not in a test's time
    bench.until(lambda: bench.covered() == (2, 2))
