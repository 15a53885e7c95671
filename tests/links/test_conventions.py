"""The tools' own settings, as their files have them."""

from __future__ import annotations

import pytest

from khoj_ls.links.conventions import Conventions, read_conventions
from khoj_ls.links.edn import read_edn
from khoj_ls.links.names import day_names

OBSIDIAN = {
    ".obsidian/app.json": b'{"newLinkFormat": "relative", "useMarkdownLinks": true, "attachmentFolderPath": "./files",'
    b' "newFileLocation": "folder", "newFileFolderPath": "inbox/"}',
    ".obsidian/daily-notes.json": b'{"folder": "/daily", "format": "YYYY/MM/DD", "template": "templates/day"}',
}
LOGSEQ = b"""{; comment
 :preferred-format "Org" #_ {:a 1}
 :journal/page-title-format "yyyy-MM-dd" :pages-directory "notes"
 :default-templates {:journals "day"} :hidden ["a" #"b.*"] :shortcuts {:editor/x ["mod+a" false]} }"""
DENDRON = b"""
version: 5
workspace:
  vaults:
    - {fsPath: docs}
    - {fsPath: ., selfContained: true}
  journal: {dailyDomain: day, name: log, dateFormat: "y-MM-dd"}
"""
FOAM = b"""{ // comments and a last comma
  "foam.openDailyNote.directory": "daily", "editor.x": "http://a/*b*/",
  "foam.completion.linkFormat": "link",
}"""


@pytest.mark.parametrize(
    ("files", "present", "expected"),
    [
        ({}, (), Conventions()),
        ({}, {".obsidian"}, Conventions("obsidian", new_notes="", journal_name="YYYY-MM-DD")),
        (
            OBSIDIAN,
            {".obsidian"},
            Conventions(
                "obsidian", "markdown", "relative", "./files", "inbox", "", "daily", "YYYY/MM/DD", "", "templates/day"
            ),
        ),
        (
            {"logseq/config.edn": LOGSEQ},
            {"logseq"},
            Conventions(
                "logseq", "wiki", "relative", "assets", "notes", "notes", "journals", "yyyy_MM_dd", "yyyy-MM-dd", "day",
                format="org",
            ),
        ),
        (
            {"dendron.yml": DENDRON},
            {"dendron.yml"},
            Conventions(
                "dendron", attachments="assets", new_notes="./", journals="day.log", journal_name="y-MM-dd",
                vaults=("docs", "notes"),
            ),
        ),
        (
            {".vscode/settings.json": FOAM},
            (),
            Conventions("foam", "markdown", new_notes="./", journals="daily", journal_name="isoDate"),
        ),
        ({".vscode/extensions.json": b'{"recommendations": ["foam.foam-vscode"]}'}, (), "foam"),
        ({}, {"root.schema.yml"}, "dendron"),
    ],
)  # fmt: skip
def test_settings(files, present, expected):
    found, problems = read_conventions(files, present)
    assert (found.tool if isinstance(expected, str) else found) == expected
    assert problems == ()


@pytest.mark.parametrize(
    ("name", "data", "wrong"),
    [
        (".obsidian/app.json", b'{\n/* a\n b */ "a": 1,\n"b" 2}', (4, "Expecting ':' delimiter")),
        (".obsidian/app.json", b"[1]", (1, "do not map names to values")),
        (".obsidian/app.json", b"", None),
        ("logseq/config.edn", b"{:a [1\n2}", (2, "} where ] belongs")),
        ("logseq/config.edn", b"{:a", (1, "ends too early")),
        ("logseq/config.edn", b"\xff\xfe" * 9, (1, "do not map")),
        ("logseq/config.edn", b"[" * 500, (1, "nested too deeply")),
        ("dendron.yml", b"a: 1\nb: [", (2, "expected the node content")),
        ("dendron.yml", b"\x00", (1, "special characters are not allowed")),
        ("dendron.yml", b"workspace: 3\nvaults: {}", None),
        ("dendron.yml", b"# nothing\n", None),
        (".vscode/settings.json", b"{\n", (2, "cannot be read")),
    ],
)
def test_settings_that_cannot_be_used_are_named_and_the_defaults_hold(name, data, wrong):
    found, problems = read_conventions({name: data}, {name.partition("/")[0]})
    assert found == read_conventions({name: b"{}"}, {name.partition("/")[0]})[0]
    assert [(each.path, each.line) for each in problems] == ([(name, wrong[0])] if wrong else [])
    assert all(wrong[1] in each.message and each.message.endswith("the tool's defaults hold") for each in problems)


def test_settings_of_another_tool_than_the_vaults_are_nobodys_business():
    assert read_conventions({".vscode/settings.json": b"{"}, {".obsidian"}) == (
        Conventions("obsidian", journal_name="YYYY-MM-DD", new_notes=""),
        (),
    )


def test_edn():
    assert read_edn('{:a "x\\"y\\n" :b #{1 2} :c (true nil) ; c\n :d {:e -3}}') == {
        ":a": 'x"y\n', ":b": [1, 2], ":c": [True, None], ":d": {":e": -3}
    }  # fmt: skip
    for text in ("", "{", "]", '"'):
        with pytest.raises(ValueError):
            read_edn(text)


def test_a_day_has_the_names_that_logseq_offers():
    from datetime import date

    names = day_names(date(2024, 5, 22))
    assert {"May 22nd, 2024", "22-05-2024", "Wed, 22-05-2024", "Wednesday, 22.05.2024", "2024-05-22", "Wed, 2024/05/22"} <= set(
        names
    )
