"""Damaged files: each processor reads or refuses a few hundred (`make damaged`: a million), and faults are found."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from damage import LONGEST, damaged
from soak import SAMPLES, Finding, Report, Soak, as_json, samples_of, told

EACH = 150
SEED = 20240501


@pytest.mark.parametrize("sample", samples_of())
def test_damaged_files_are_read_or_refused(sample):
    soak = Soak(seed=SEED, inputs=EACH, lanes=1, patience=120)
    report = soak.run([sample])
    assert report.inputs == {sample: EACH}
    assert not report.findings, told(soak, report)


def test_no_sample_is_left_out():
    assert samples_of() == sorted(path.name for path in SAMPLES.iterdir())


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("raises.toy", (2, "raised", "KeyError at soak_toys.py")),
        ("misplaces.toy", (2, "places", "entry 0 has 1 bytes")),
        ("dies.toy", (2, "died", "with status 7")),
        ("hangs.toy", (2, "hung", "")),
        ("refuses.toy", None),
    ],
)
def test_faults_are_found(tmp_path, sample, found):
    (tmp_path / sample).write_bytes(b"a toy")
    # A toy is slow only where it hangs for ever; a process that took its place misbehaves anew, at its third input.
    report = Soak(folder=tmp_path, registry="soak_toys:toys", inputs=5, lanes=1, patience=5).run([sample])
    assert report.inputs == {sample: 5}
    seen = [(each.number, each.kind, each.what) for each in report.findings.values()]
    assert [(number, kind, what[: len(found[2])]) for number, kind, what in seen] == ([found] if found else [])


def test_a_report_says_what_was_read_and_found():
    report = Report(inputs=Counter({"b.toy": 5, "a.toy": 7}))
    for number in (3, 4):
        report.add(Finding("b.toy", number, "raised", "KeyError"))
    assert as_json(Soak(seed=31), report, "c0ffee") == {
        "commit": "c0ffee",
        "seed": 31,
        "inputs": 12,
        "findings": 1,
        "inputs_by_sample": {"a.toy": 7, "b.toy": 5},
        "found": {"b.toy 3: raised KeyError": 2},
    }


@pytest.mark.parametrize("sample", samples_of())
def test_the_same_numbers_damage_a_file_alike(sample):
    data = (SAMPLES / sample).read_bytes()
    made = [damaged(data, [data], Random(number)) for number in range(100)]
    assert made == [damaged(data, [data], Random(number)) for number in range(100)]
    assert len(set(made)) > 90
    assert all(len(each) <= LONGEST for each in made)
