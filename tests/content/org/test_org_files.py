"""Every NN_name.org of data/org is read as its NN_name.json says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from khoj_ls.content.org import OrgProcessor
from khoj_ls.core.protocols import ContentProcessor
from khoj_ls.core.types import ParsedFile

DATA = Path(__file__).parents[1] / "data" / "org"
FILES = sorted(DATA.glob("*.org"))


def parse(source: bytes) -> ParsedFile:
    return OrgProcessor().parse(source, "note.org")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_read_as_expected(file: Path, as_data) -> None:
    source = file.read_bytes()
    assert as_data(parse(source), source) == json.loads(file.with_suffix(".json").read_text())


@pytest.mark.parametrize("line_break", ["\r\n", "\r"], ids=["CRLF", "CR"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_line_breaks_make_no_difference(file: Path, line_break: str, as_data) -> None:
    source = file.read_text().replace("\n", line_break).encode()
    shown = json.dumps(as_data(parse(source), source), ensure_ascii=False)
    assert json.loads(shown.replace(json.dumps(line_break)[1:-1], "\\n")) == json.loads(file.with_suffix(".json").read_text())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_byte_order_mark_makes_no_difference(file: Path, encoding: str, as_data) -> None:
    text = file.read_text()
    marked = parse(text.encode(encoding))
    told = tuple(problem for problem in marked.problems if problem.code == "encoding")
    assert len(told) == (encoding == "utf-16")
    rest = replace(marked, problems=marked.problems[len(told) :])
    assert as_data(rest, text.encode()) == as_data(parse(text.encode()), text.encode())


def test_it_is_a_content_processor() -> None:
    processor = OrgProcessor()
    assert isinstance(processor, ContentProcessor)
    assert (processor.name, processor.extensions, processor.priority) == ("org", (".org",), 0)
