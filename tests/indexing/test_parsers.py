"""Worker processes that hang, crash, bloat or do not start, and the pool that gets over it."""

from __future__ import annotations

import re
import threading
import time

import psutil
import pytest
from indexing_bench import PATIENCE
from indexing_toys import TOOLS

from khoj_ls.config.settings import IndexSettings
from khoj_ls.indexing.messages import Cut, Parse
from khoj_ls.indexing.parsers import Job, ParserPool


class Collector:
    """A pool with what it answered, by the owner of each job."""

    def __init__(self, tools: str = TOOLS, **settings) -> None:
        self.news = threading.Condition()
        self.answers: dict = {}
        settings = {"parser_workers": 1, "parser_timeout_seconds": 6.0} | settings
        idle_seconds = settings.pop("idle_seconds", 60.0)
        self.pool: ParserPool = ParserPool(IndexSettings(**settings), self.wake, tools=tools, idle_seconds=idle_seconds)

    def wake(self) -> None:
        with self.news:
            for job, answer in self.pool.results():
                assert job.owner not in self.answers
                self.answers[job.owner] = answer
            self.news.notify_all()

    def parse(self, owner: str, text: str = "# A\nb\n", *, urgent: bool = False) -> None:
        self.pool.submit(Job(Parse(f"{owner}.md", text.encode()), owner, urgent))

    def wait(self, *owners: str) -> list:
        with self.news:
            assert self.news.wait_for(lambda: self.answers.keys() >= set(owners), PATIENCE), self.answers
        return [self.answers[owner] for owner in owners]


@pytest.fixture
def collect():
    made = []

    def make(**settings) -> Collector:
        made.append(Collector(**settings))
        return made[-1]

    yield make
    for collector in made:
        collector.pool.close()


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def test_files_are_parsed_and_cut(collect):
    collector = collect(parser_workers=2)
    for i in range(40):
        collector.parse(str(i), f"# Heading {i}\ntext\n")
    answers = collector.wait(*map(str, range(40)))
    assert [answer.parsed.entries[0].heading for answer in answers] == [f"Heading {i}" for i in range(40)]
    entries = answers[3].parsed.entries
    collector.pool.submit(Job(Cut("T", entries, "tok:", 256), "cut"))
    [answer] = collector.wait("cut")
    assert [chunk.text for chunk in answer.chunks] == ["tok:T\nHeading 3\n\ntext\n"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("!!hang", r"parsing it took longer than 1 s \(index.parser_timeout_seconds\)"),
        ("!!crash", r"the parser process died parsing it \(worker \d+ ended with status -9\)"),
        ("!!bloat", "it takes more memory than index.parser_memory_mb allows"),
        ("!!raise", r"the content processor failed \(RuntimeError: toy fault\)"),
    ],
)
def test_a_bad_file_costs_itself_only(collect, text, reason):
    collector = collect()
    for i in range(3):
        collector.parse(f"before{i}")
    collector.parse("bad", text)
    for i in range(3):
        collector.parse(f"after{i}")
    *good, bad = collector.wait(*(f"{when}{i}" for when in ("before", "after") for i in range(3)), "bad")
    assert [answer.error for answer in good] == [None] * 6
    assert re.fullmatch(reason, bad.error), bad.error


def test_a_file_that_prints_does_not_break_the_frames(collect):
    collector = collect()
    collector.parse("loud", "!!print\n# A\n")
    [answer] = collector.wait("loud")
    assert answer.parsed is not None


def test_the_time_limit_begins_anew_whenever_a_worker_has_got_on(collect, monkeypatch):
    collector = collect(parser_timeout_seconds=600.0)
    asked = []
    limit = collector.pool.limit
    monkeypatch.setattr(collector.pool, "limit", lambda job: asked.append(job.owner) or limit(job))
    collector.parse("long", "# A\n!!long !!long !!long\n")
    collector.parse("short")
    long, short = collector.wait("long", "short")
    assert [answer.parsed.entries[0].heading for answer in (long, short)] == ["A", "A"]
    assert asked == ["long"] * 4 + ["short"]


def test_nothing_waits_in_one_batch_with_a_file_that_may_take_minutes(collect):
    collector = collect(parser_timeout_seconds=600.0)
    before = children()
    collector.parse("long", "!!hang")
    deadline = time.monotonic() + PATIENCE
    while not children() - before and time.monotonic() < deadline:
        continue  # the only lane is busy from then on
    for owner, whole in (("a", False), ("b", False), ("scan", True), ("book", True), ("c", False)):
        collector.pool.submit(Job(Parse(f"{owner}.md", b""), owner, whole_limit=whole))
    batches = [[job.owner for job in collector.pool.take(express=False)] for _ in range(4)]
    assert batches == [["a", "b"], ["scan"], ["book"], ["c"]]


def test_a_worker_killed_from_outside_costs_nothing(collect):
    collector = collect()
    before = children()
    collector.parse("first")
    collector.wait("first")
    for pid in children() - before:
        psutil.Process(pid).kill()
    collector.parse("second")
    [answer] = collector.wait("second")
    assert answer.parsed is not None


def test_what_is_urgent_overtakes_a_long_file(collect):
    collector = collect(parser_timeout_seconds=600.0)
    collector.parse("long", "!!hang")
    for i in range(20):
        collector.parse(f"waiting{i}")
    collector.parse("edit", urgent=True)
    [answer] = collector.wait("edit")
    assert answer.parsed is not None
    assert "long" not in collector.answers


def test_waiting_jobs_can_be_taken_back(collect):
    collector = collect(parser_timeout_seconds=600.0)
    before = children()
    collector.parse("long", "!!hang")
    deadline = time.monotonic() + PATIENCE
    while not children() - before and time.monotonic() < deadline:
        continue  # a worker is started for a job that was taken: what is handed in from now on waits
    collector.parse("waiting")
    taken = {job.owner for job in collector.pool.withdraw()}
    assert taken == {"waiting"}
    assert collector.answers == {}


def test_workers_end_when_there_is_nothing_to_do_and_come_back(collect):
    collector = collect(idle_seconds=0.2)
    before = children()
    collector.parse("first")
    collector.wait("first")
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in children() - before], timeout=PATIENCE)
    assert not alive
    collector.parse("second")
    assert collector.wait("second")[0].parsed is not None


def test_closing_does_not_wait_for_a_hanging_worker(collect):
    collector = collect(parser_timeout_seconds=600.0)
    before = children()
    collector.parse("long", "!!hang")
    collector.parse("edit", urgent=True)
    collector.wait("edit")
    begun = time.monotonic()
    collector.pool.close()
    assert time.monotonic() - begun < 5
    assert children() <= before


def test_a_worker_that_cannot_start_loses_no_job(collect, monkeypatch):
    collector = collect(tools="no_such_module:tools")
    collector.parse("first")
    with collector.news:
        assert collector.news.wait_for(lambda: collector.pool.trouble, PATIENCE)
    assert "cannot be started" in collector.pool.trouble
    monkeypatch.setattr(collector.pool, "_arguments", (TOOLS, "0", "0"))
    assert collector.wait("first")[0].parsed is not None
    assert collector.pool.trouble == ""


@pytest.mark.parametrize(
    ("size", "whole", "seconds"), [(0, False, 10.0), (2_000_000, False, 40.0), (9_000_000, False, 60.0), (0, True, 60.0)]
)
def test_a_small_text_gets_a_part_of_the_time_limit_and_what_is_no_text_all_of_it(collect, size, whole, seconds):
    pool = collect(parser_timeout_seconds=60.0).pool
    assert pool.limit(Job(Parse("a", bytes(size)), "a", whole_limit=whole)) == pytest.approx(seconds)
