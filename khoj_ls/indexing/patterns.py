"""The lines of one ignore file, compiled to answer fast for the many paths that no line is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

# pathspec writes a pattern without a slash, which holds at any depth, with this in front; the name alone decides then.
_ANY_DEPTH = "^(?:.+/)?"
_PARENT_MATCHED = "ps_d"
"""The group that pathspec's expressions fill when a pattern matches a folder above the path and not the path itself."""


@dataclass(frozen=True)
class Verdict:
    """What a rule says about a path."""

    leave_out: bool
    """False for a pattern that begins with `!`."""
    rule: str
    """As `notes/.gitignore:3: drafts/`."""
    from_git: bool


@dataclass(frozen=True)
class Rule:
    """One line of an ignore file."""

    verdict: Verdict
    expression: re.Pattern[str]
    folders_only: bool

    def is_about(self, path: str, is_folder: bool) -> bool:
        """Whether the pattern matches this very path. What it says of folders above was heard when they were entered."""
        if self.folders_only and not is_folder:
            return False
        match = self.expression.search(path)
        return match is not None and not match.groupdict().get(_PARENT_MATCHED)


@dataclass(frozen=True)
class RuleFile:
    """One ignore file."""

    base: str
    """Relative path of its folder, with a final slash; empty for the vault itself."""
    rules: tuple[Rule, ...]
    """The last line first: it has most to say."""
    by_name: re.Pattern[str] | None
    """Matches every name that some pattern without a slash is about; None when there is no such pattern."""
    by_path: re.Pattern[str] | None
    """Matches every path that some other pattern is about."""

    def judge(self, path: str) -> Verdict | None:
        """The verdict on `path` (relative to the vault, folders with a final slash); None when no line is about it."""
        is_folder = path.endswith("/")
        local = path[len(self.base) : -1] if is_folder else path[len(self.base) :]
        # One combined expression says no for most paths; the lines are asked one by one only for the rest.
        named = self.by_name is not None and self.by_name.match(local, local.rfind("/") + 1)
        if not named and not (self.by_path and self.by_path.search(local)):
            return None
        return next((rule.verdict for rule in self.rules if rule.is_about(local, is_folder)), None)


def compile_rules(source: str, base: str, text: str) -> RuleFile | None:
    """Compile the text of an ignore file; None when it holds no pattern. Like git, passes over lines that are no pattern."""
    rules = tuple(_rules(source, text))
    if not rules:
        return None
    expressions = [rule.expression.pattern for rule in rules]
    names = [expression[len(_ANY_DEPTH) :] for expression in expressions if expression.startswith(_ANY_DEPTH)]
    paths = [expression for expression in expressions if not expression.startswith(_ANY_DEPTH)]
    return RuleFile(base, rules[::-1], _any_of(names), _any_of(paths))


def _rules(source: str, text: str) -> Iterator[Rule]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        body = line
        while body.endswith(" ") and not body.endswith("\\ "):
            body = body[:-1]
        if not body or body.startswith("#"):
            continue
        kept = body.startswith("!")
        glob = body.removeprefix("!").removesuffix("/")
        expression = _expression(glob)
        if expression is not None:
            verdict = Verdict(not kept, f"{source}:{number}: {line}", source.endswith(".gitignore"))
            yield Rule(verdict, expression, body.endswith("/"))


def _expression(glob: str) -> re.Pattern[str] | None:
    """What pathspec makes of a pattern without its `!` and its final slash; None when it is no pattern."""
    try:
        [pattern] = GitIgnoreSpec.from_lines([f"\\{glob}" if glob.startswith(("!", "#")) else glob]).patterns
    except ValueError:  # also: there is no pattern in an empty line
        return None
    return pattern.regex if pattern.include else None


def _any_of(expressions: list[str]) -> re.Pattern[str] | None:
    if not expressions:
        return None
    try:
        # A named group may stand only once in an expression, and is of no use here.
        return re.compile("|".join(re.sub(r"\(\?P<\w+>", "(?:", expression) for expression in expressions))
    except re.error:
        return re.compile("")
