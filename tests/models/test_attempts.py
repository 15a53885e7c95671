"""What is sent when, if the process may end at any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.models.attempts import Attempt, Attempts


def run(count, deadly=(), together=3, outside=()):
    """Play a process that computes `together` texts at a time and ends at `deadly` ones, and at the moments `outside`.

    The places that got a vector, and the one that was given up.
    """
    attempts, done, moment = Attempts(count), [], 0
    while attempt := attempts.next():
        left = list(attempt.places)
        while left:
            moment += 1
            batch = left[:together]
            if moment in outside or set(batch) & set(deadly):
                guilty = attempts.ended(left, batch, others=False)
                if guilty is not None:
                    return done, guilty
                break
            done += batch
            left = left[together:]
            attempts.arrived()
    return done, None


def test_all_texts_go_together():
    attempts = Attempts(2500)
    sent = [attempts.next() for _ in range(4)]
    assert [len(attempt.places) if attempt else None for attempt in sent] == [1024, 1024, 452, None]
    assert [place for attempt in sent if attempt for place in attempt.places] == list(range(2500))


def test_suspects_go_alone_before_the_rest():
    attempts = Attempts(6)
    attempts.next()
    assert attempts.ended([2, 3, 4, 5], {3, 4}, others=False) is None
    assert [attempts.next() for _ in range(4)] == [
        Attempt([3], alone=True),
        Attempt([4], alone=True),
        Attempt([2, 5]),
        None,
    ]


@given(st.integers(1, 40), st.data())
def test_the_text_that_ends_the_process_is_found(count, data):
    deadly = data.draw(st.integers(0, count - 1))
    done, guilty = run(count, {deadly})
    assert guilty == deadly
    assert deadly not in done


@given(st.integers(0, 40), st.integers(1, 9), st.sets(st.integers(1, 60), max_size=1))
def test_an_end_from_outside_costs_no_text(count, together, outside):
    done, guilty = run(count, together=together, outside=outside)
    assert guilty is None
    assert sorted(done) == list(range(count))


def test_who_was_not_alone_is_not_blamed():
    attempts = Attempts(2)
    attempts.next()
    assert attempts.ended([0, 1], {0}, others=False) is None
    assert attempts.next() == Attempt([0], alone=True)
    assert attempts.ended([0], {0}, others=True) is None
    assert attempts.next() == Attempt([0], alone=True)
    assert attempts.ended([0], {0}, others=False) == 0


def test_a_process_that_ends_before_it_computes_is_not_started_for_ever():
    attempts = Attempts(1)
    for _ in range(3):
        attempt = attempts.next()
        assert attempts.ended(attempt.places, (), others=False) is None
    with pytest.raises(RuntimeError, match="4 times"):
        attempts.ended(attempts.next().places, (), others=False)
