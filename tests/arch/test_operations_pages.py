"""Containerfile, docs/headless.md and docs/upgrading.md: what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from khoj_ls.cli.app import VERBS, program

ROOT = Path(__file__).parents[2]
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")
PAGES = ("headless.md", "upgrading.md")


def test_the_container_copies_what_there_is_and_all_that_the_package_needs():
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", CONTAINER, re.MULTILINE) for name in line.split()]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r'^(?:readme = |license-files = \[)"([^"]+)"', project, re.MULTILINE)
    assert {*named, "pyproject.toml", "khoj_ls", "constraints.txt"} <= {*copied} and named


def test_the_container_installs_what_everybody_installs():
    pinned = re.findall(r"^torch==([\d.]+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"torch==([\d.]+)", CONTAINER) == pinned and len(pinned) == 1
    extras = re.search(r'"\.\[([\w,]+)\]"', CONTAINER)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert extras and all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras[1].split(","))


def test_the_container_runs_the_daemon_as_a_service_does_and_as_nobody_special():
    from khoj_ls.daemon.service import service

    command = re.search(r"^CMD \[(.*)\]$", CONTAINER, re.MULTILINE)
    assert command
    words = re.findall(r'"([^"]*)"', command[1])
    assert words[1:] == re.findall(r"<string>(-.*|khoj_ls.*run)</string>", service("launchd", {}, ROOT).content.decode())
    assert "\nUSER 1000:1000\n" in CONTAINER and "EXPOSE" not in CONTAINER


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_is_one(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    commands = re.findall(r"khoj-ls ((?:[a-z]+)(?: [a-z]+)?)((?: --[a-z-]+)*)", text)
    assert len(commands) > 5
    runner = CliRunner()
    for words, options in commands:
        verb, *below = words.split()
        if verb not in VERBS:  # the name of the program in a sentence
            continue
        shown = runner.invoke(program, [verb, "--help"]).stdout
        if below and f"\n  {below[0]} " in shown:
            shown = runner.invoke(program, [verb, below[0], "--help"]).stdout
        assert [option for option in options.split() if option not in shown] == [], (words, options)
