"""Source code and what is read of it."""

from __future__ import annotations

import pytest
from told_entries import links_of, read, told

from khoj_ls.content import code

PYTHON = '''"""Bakes bread."""
import time

# How long it
# rises.
HOURS = 4


# Kneads, see https://example.org/knead
@timed
def knead(dough: str) -> str:
    """Knead until smooth."""
    def fold():
        pass
    return dough


class Oven:
    """Gets hot."""

    heat = 230

    def bake(self):
        return self.heat  # not above 250

    # Lets it cool.
    @property
    def cold(self):
        return True

    door = "shut"


if __name__ == "__main__":
    knead("rye")
'''


def test_definitions_are_entries_with_the_comments_above_them():
    parsed = read(PYTHON, "a.py")
    assert [(line.partition(" : ")[0], *entry.outline) for line, entry in zip(told(parsed), parsed.entries, strict=True)] == [
        ("1-8",),
        ("9-17 # knead",),
        ("18-22 # Oven",),
        ("23-25 ## bake", "Oven"),
        ("26-29 ## cold", "Oven"),
        ("30-31", "Oven"),
        ("32-35",),
    ]
    assert parsed.entries[1].text.split("\n")[:3] == [
        "Kneads, see https://example.org/knead",
        "@timed",
        "def knead(dough: str) -> str:",
    ]
    assert parsed.entries[3].text.split("\n")[1] == "        return self.heat  # not above 250"
    assert links_of(parsed) == [("url", "https://example.org/knead", None, 9)]
    assert parsed.properties == (("language", "Python"),)


@pytest.mark.parametrize(
    ("path", "source", "entries"),
    [
        ("a.sh", "# Says hi.\nhi() {\n  echo\n}\nhi\n", ["1-4 # hi : Says hi.", "5-5 : hi"]),
        ("a.c", "/* Adds\n * two. */\nstatic int *add(int a) {\n  return a;\n}\nstruct s;\nstruct t { int x; };\n", [
            "1-5 # add : Adds", "6-6 : struct s;", "7-7 # t : struct t"]),
        ("a.h", "#ifndef A\n#define A\ntypedef struct { int x; } point;\n#endif\n", [
            "1-2 : #ifndef A", "3-3 # point : typedef", "4-4 : #endif"]),
        ("a.cpp", "namespace n {\ntemplate <class T>\nclass C {\n public:\n  void f() {}\n};\n}\nint n::g() { return 1; }\n", [
            "1-1 # n : namespace", "2-4 ## C : template", "5-7 ### f : void", "8-8 # n::g : int"]),
        ("a.cs", "namespace N {\n  class C {\n    /// Doc.\n    [X]\n    int F() { return 1; }\n  }\n}\n", [
            "1-1 # N : namespace", "2-2 ## C : class", "3-7 ### F : Doc."]),
        ("a.go", "package a\n// F does.\nfunc F() {}\ntype S struct{}\nfunc (s S) M() {}\n", [
            "1-1 : package a", "2-3 # F : F does.", "4-4 # S : type", "5-5 # M : func"]),
        ("a.java", "/** Doc. */\n@X class A {\n  int x;\n  A() {}\n  void f() {}\n}\n", [
            "1-3 # A : Doc.", "4-4 ## A : A()", "5-6 ## f : void"]),
        ("a.js", "export default class A {\n  m() {}\n}\nexport const f = () => 1;\nconst x = 2;\nfunction g() {}\n", [
            "1-1 # A : export", "2-3 ## m : m()", "4-4 # f : export", "5-5 : const x", "6-6 # g : function"]),
        ("a.ts", "export interface I { a: string }\nnamespace N {\n  export function f() {}\n}\ntype T = 1;\n", [
            "1-1 # I : export", "2-2 # N : namespace", "3-4 ## f : export", "5-5 # T : type"]),
        ("a.tsx", "export const A = () => <b>x</b>;\n", ["1-1 # A : export"]),
        ("a.lua", "-- Doc.\nfunction M.f()\nend\nlocal function g() end\n", ["1-3 # M.f : Doc.", "4-4 # g : local"]),
        ("a.php", "<?php\nclass A {\n  function f() {}\n}\nfunction g() {}\n", [
            "1-1 : <?php", "2-2 # A : class", "3-4 ## f : function", "5-5 # g : function"]),
        ("a.rb", "# Doc.\nmodule M\n  class A\n    def f\n    end\n    def self.g; end\n  end\nend\n", [
            "1-2 # M : Doc.", "3-3 ## A : class", "4-5 ### f : def", "6-8 ### g : def"]),
        ("a.rs", "/// Doc.\n#[derive(X)]\nstruct S;\nimpl T for S {\n    fn f() {}\n}\nmacro_rules! m { () => {} }\n", [
            "1-3 # S : Doc.", "4-4 # S : impl", "5-6 ## f : fn", "7-7 # m : macro_rules!"]),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 7 else "",
)  # fmt: skip
def test_every_language_is_read(path, source, entries):
    parsed = read(source, path)
    assert parsed.problems == ()
    lines = told(parsed)
    assert [line.partition(" : ")[0] for line in lines] == [entry.partition(" : ")[0] for entry in entries]
    assert all(line.startswith(entry) for line, entry in zip(lines, entries, strict=True)), lines


@pytest.mark.parametrize(
    "source", ["def f(:\n  x\nclass", "((((" * 5_000, "class A:\n" * 3, "def a(): pass; \ndef b(): pass", "\x00\n\ufffd", ""]
)
def test_code_with_errors_is_read(source):
    assert not [problem for problem in read(source, "a.py").problems if problem.severity == "error"]


def test_generated_code_is_left_out_and_said():
    parsed = read("var a=1;" * 1000, "bundle.min.js")
    assert (parsed.entries, [problem.code for problem in parsed.problems]) == ((), ["generated"])


def test_without_tree_sitter_code_is_no_note(monkeypatch):
    monkeypatch.setattr(code, "find_spec", lambda name: None)
    assert code.code_processors() == []
