from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from khoj_ls.content.refusal import Refused
from khoj_ls.content.registry import ProcessorRegistry, default_registry, parse_file
from khoj_ls.core.protocols import Needs
from khoj_ls.core.types import GIVEN_UP, Entry, ParsedFile, Span
from khoj_ls.plugins import manager as manager_module
from khoj_ls.plugins.hookspecs import hookimpl
from khoj_ls.plugins.limits import PluginFault
from khoj_ls.plugins.manager import PluginManager, plugin_manager


class Toy:
    """A processor that returns, or raises, what the test says."""

    needs: Needs | None = None
    version = 1

    def __init__(self, name: str, *extensions: str, priority: int = 0, result: Any = None) -> None:
        self.name, self.extensions, self.priority, self.result = name, extensions, priority, result

    def parse(self, data: bytes, path: str) -> ParsedFile:
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result or ParsedFile(self.name, None, ())


class Odd(Toy):
    """Attributes that are not what they should be."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__("toy", ".toy")
        for name, value in attributes.items():
            setattr(self, name, value)


def chosen(registry: ProcessorRegistry, path: str) -> str | None:
    processor = registry.for_path(path)
    return processor.name if processor else None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.md", "markdown"),
        ("dir.txt/A.MD", "markdown"),
        ("a.markdown", "markdown"),
        ("a.Rmd", "markdown"),
        ("notes/a.org", "org"),
        ("a.b.txt", "text"),
        ("a.md.bak", None),
        ("README", None),
        (".md", None),
        ("a.", None),
        ("a.nothing", None),
        ("a.md/b", None),
    ],
)
def test_built_in_processors_by_suffix(path: str, name: str | None) -> None:
    assert chosen(default_registry(third_party=False), path) == name


def test_the_default_registry_says_what_it_reads() -> None:
    registry = default_registry(third_party=False)
    assert {"markdown", "org", "text"} <= set(registry.types())
    assert {".md", ".org", ".txt"} <= registry.extensions()
    assert registry.problems == ()


def test_built_in_processors_are_waited_for_however_long_they_take_to_load(monkeypatch) -> None:
    full = default_registry(third_party=False).types()

    def too_late(*_: object) -> None:
        raise PluginFault("it takes longer than 5 s")

    monkeypatch.setattr(manager_module, "within", too_late)
    assert default_registry(third_party=False).types() == full != ()


def test_the_highest_priority_wins_then_the_later() -> None:
    registry = ProcessorRegistry(
        [Toy("first", ".x", ".y"), Toy("high", ".x", priority=5), Toy("low", ".x", priority=-1), Toy("later", ".Y")]
    )
    assert (chosen(registry, "a.x"), chosen(registry, "a.y")) == ("high", "later")
    assert registry.types() == ("high", "later")


def test_the_longest_suffix_wins() -> None:
    registry = ProcessorRegistry([Toy("md", ".md"), Toy("drawing", ".drawing.md")])
    assert (chosen(registry, "a.drawing.md"), chosen(registry, "a.b.md")) == ("drawing", "md")


def brought(*processors: Any) -> PluginManager:
    class Plugin:
        @hookimpl
        def khoj_content_processors(self) -> list[Any]:
            return list(processors)

    return plugin_manager([Plugin()], third_party=False)


def test_plugins_add_and_replace_processors() -> None:
    registry = default_registry(brought(Toy("toy", ".toy"), Toy("mine", ".md"), Toy("weak", ".org", priority=-1)))
    assert (chosen(registry, "a.toy"), chosen(registry, "a.md"), chosen(registry, "a.org")) == ("toy", "mine", "org")
    assert registry.problems == ()
    assert [(each.name, bool(registry.origin(each))) for each in registry.contenders(".org")] == [
        ("org", False),
        ("weak", True),
    ]


@pytest.mark.parametrize(
    ("item", "what"),
    [
        ("not a processor", "a str is no content processor"),
        (Toy, "a type is no content processor"),
        (Toy("Bad Name", ".toy"), "'Bad Name' is no name of a content type"),
        (Toy("toy"), "the extensions of toy are no tuple"),
        (Toy("toy", "toy"), "'toy' is no extension for toy"),
        (Toy("toy", ".TOY"), "'.TOY' is no extension for toy"),
        (Toy("toy", 3), "'3' is no extension for toy"),
        (Toy("toy", ".toy", priority="high"), "the priority of toy is no whole number"),
        (Odd(version="new"), "the version of toy is no whole number"),
        (Odd(needs="pandoc"), "the needs of toy are no khoj_ls.core.protocols.Needs"),
        (Odd(parse="parse"), "the parse of toy cannot be called"),
    ],
)
def test_what_is_no_processor_is_named_and_costs_nothing_else(item: Any, what: str) -> None:
    registry = default_registry(brought(item, Toy("good", ".good")))
    [problem] = registry.problems
    assert what in problem.error
    assert (chosen(registry, "a.good"), chosen(registry, "a.md"), chosen(registry, "a.toy")) == ("good", "markdown", None)


@pytest.mark.parametrize("result", ["no parsed file", ParsedFile("toy", 3, ()), ParsedFile("toy", None, ("entry",))])
def test_a_plugin_s_parsed_file_holds_what_it_should(result: Any) -> None:
    parsed = parse_file(default_registry(brought(Toy("toy", ".toy", result=result))), b"", "a.toy")
    assert [problem.code for problem in parsed.problems] == ["processor-failed"]


def test_a_plugin_s_processor_is_not_waited_for_where_somebody_waits() -> None:
    toy, ends = Toy("toy", ".toy"), threading.Event()
    toy.parse = lambda data, path: ends.wait()  # type: ignore[method-assign, assignment, return-value]
    parsed = parse_file(default_registry(brought(toy)), b"", "a.toy", seconds=0.05)
    ends.set()
    [problem] = parsed.problems
    assert (problem.code, "it took longer than 0.05 s" in problem.message) == ("processor-failed", True)


def entry(start: int, end: int, line: int, end_line: int, **changes: Any) -> Entry:
    raw = "x" * (end - start)
    return replace(Entry(Span(start, end, line, end_line), 0, "", (), None, raw, raw), **changes)


@pytest.mark.parametrize(
    ("entries", "is_good"),
    [
        ((), True),
        ((entry(0, 3, 1, 1), entry(3, 5, 2, 4)), True),
        ((entry(2, 3, 2, 2), entry(4, 5, 4, 4, parent=0)), True),
        ((entry(0, 3, 1, 2), entry(3, 5, 2, 4)), False),
        ((entry(0, 3, 1, 1), entry(3, 5, 1, 1), entry(6, 7, 1, 1), entry(7, 9, 2, 3)), True),
        ((entry(0, 3, 1, 1), entry(3, 5, 1, 2)), False),
        ((entry(0, 3, 1, 1), entry(2, 5, 2, 4)), False),
        ((entry(0, 3, 2, 1),), False),
        ((entry(0, 3, 0, 1),), False),
        ((entry(0, 3, 1, 1, raw="é" * 3),), False),
        ((entry(0, 3, 1, 1, parent=0),), False),
    ],
)
def test_entries_that_do_not_lie_in_the_source_are_refused(entries: tuple[Entry, ...], is_good: bool) -> None:
    registry = ProcessorRegistry([Toy("toy", ".x", result=ParsedFile("toy", "T", entries))])
    parsed = parse_file(registry, b"", "a.x")
    assert (parsed.entries == entries) is is_good
    assert [problem.code for problem in parsed.problems] == ([] if is_good else ["processor-spans"])


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ValueError("bad luck"), "processor-failed"),
        (RecursionError(), "processor-failed"),
        (MemoryError(), GIVEN_UP),
    ],
)
def test_a_processor_that_raises_costs_its_file_a_problem(raised: BaseException, code: str) -> None:
    parsed = parse_file(ProcessorRegistry([Toy("toy", ".x", result=raised)]), b"", "a.x")
    (problem,) = parsed.problems
    assert (parsed.type, parsed.entries, problem.severity, problem.code) == ("toy", (), "error", code)
    assert code == GIVEN_UP or type(raised).__name__ in problem.message


def test_a_processor_that_returns_nonsense_costs_its_file_a_problem() -> None:
    parsed = parse_file(ProcessorRegistry([Toy("toy", ".x", result="nonsense")]), b"", "a.x")
    assert [problem.code for problem in parsed.problems] == ["processor-failed"]


def test_a_file_that_nobody_reads_is_a_problem() -> None:
    parsed = parse_file(default_registry(third_party=False), b"%PDF", "a.nothing")
    assert [problem.code for problem in parsed.problems] == ["no-processor"]


@pytest.mark.parametrize("path", ["a.md", "a.org", "a.txt"])
@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"\x00\xd8\x00" * 99, b"# \xf0\x28\x8c\x28\n* [[", "* é\n# ñ\n".encode("utf-16")]
)
def test_built_in_processors_keep_the_contract_on_bad_bytes(path: str, data: bytes) -> None:
    parsed = parse_file(default_registry(third_party=False), data, path)
    assert all(problem.severity != "error" for problem in parsed.problems)


def test_a_processor_whose_packages_are_missing_says_how_to_install_them() -> None:
    toy = Toy("toy", ".toy")
    toy.needs = Needs(("no_such_package_x", "json"), "khoj-ls[toy]")
    toy.version = 3
    registry = ProcessorRegistry([toy])
    parsed = parse_file(registry, b"x", "a.toy")
    assert [(each.severity, each.code, each.message) for each in parsed.problems] == [
        ("error", "missing-extra", "reading toy files needs no_such_package_x: pip install 'khoj-ls[toy]'")
    ]
    # Once they are there it is another reader: the file is read again.
    assert registry.reader("a.toy") == "toy 3 missing"
    toy.needs = Needs(("json",), "khoj-ls[toy]")
    registry = ProcessorRegistry([toy])
    assert (registry.reader("a.toy"), registry.reader("a.other")) == ("toy 3", "")
    assert parse_file(registry, b"x", "a.toy").problems == ()


def test_what_a_processor_refuses_is_a_problem() -> None:
    registry = ProcessorRegistry([Toy("toy", ".toy", result=Refused("encrypted", "save it without a password"))])
    [problem] = parse_file(registry, b"x", "a.toy").problems
    assert (problem.severity, problem.code, problem.message) == ("error", "encrypted", "save it without a password")
