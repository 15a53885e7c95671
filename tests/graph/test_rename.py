"""Renames: what follows in every syntax, what is refused, and there and back again with not a byte changed."""

from __future__ import annotations

import pytest
from marked_text import byte_at
from note_texts import TextVault

from khoj_ls.core.errors import UsageError
from khoj_ls.graph.moves import all_moves, mend_moves
from khoj_ls.graph.rename import rename, subject_at
from khoj_ls.links.conventions import Conventions


def renamed(vault, path, at, name):
    """Rename what is at the caret in `at`, a piece of the note's text with a caret in it; what that was, and the edit."""
    note = vault.read(path)

    def question(network):
        subject = subject_at(network, vault, note, byte_at(note.text, at))
        return subject, rename(network, vault, note, subject, name)

    subject, edit = vault.graph.ask(question)
    return subject, vault.apply(edit)


@pytest.fixture
def vault(graph):
    return TextVault(graph)


def test_a_heading_is_followed_in_every_syntax(vault):
    vault.put(
        a_md="# Top\n\n## Old Name ✨\n\n### Sub\n\n[[#Old Name ✨]] [x](#old-name-) [[a#Old Name ✨#Sub]]\n",
        b_md="[[a#Old Name ✨|Old Name ✨]] [Old Name ✨](a.md#old-name-) ![[a#old name ✨]] [[a#Sub]]\n",
        c_org="[[file:a.md::*Old Name ✨][Old Name ✨]] [[file:a.md::Old Name ✨]]\n",
    )
    subject, _ = renamed(vault, "a.md", "## Old ‸Name", "New Title")
    assert (subject.kind, subject.name) == ("heading", "Old Name ✨")
    assert vault.texts == {
        "a.md": "# Top\n\n## New Title\n\n### Sub\n\n[[#New Title]] [x](#new-title) [[a#New Title#Sub]]\n",
        "b.md": "[[a#New Title|New Title]] [New Title](a.md#new-title) ![[a#new title]] [[a#Sub]]\n",
        "c.org": "[[file:a.md::*New Title][New Title]] [[file:a.md::New Title]]\n",
    }


def test_an_org_heading_with_state_tags_and_cookie(vault):
    vault.put(
        a_org="* TODO [#A] Old thing [1/2] :tag:\n[[*Old thing]] [[Old thing][Old thing]] <<spot>>\n",
        b_org="[[file:a.org::*Old thing]] [[file:a.org::*old thing][see]]\n",
        c_md="[x](a.org#old-thing) [[a#Old thing]]\n",
    )
    renamed(vault, "b.org", "a.org::*Old‸ thing]]", "New thing")
    assert vault.texts == {
        "a.org": "* TODO [#A] New thing [1/2] :tag:\n[[*New thing]] [[New thing][New thing]] <<spot>>\n",
        "b.org": "[[file:a.org::*New thing]] [[file:a.org::*new thing][see]]\n",
        "c.md": "[x](a.org#new-thing) [[a#New thing]]\n",
    }


def test_a_note_named_as_its_title_is_renamed_from_its_title_line(vault):
    vault.put(
        garden__plum_tree_md="---\ntitle: Plum tree\naliases: [Plum tree, Prune]\n---\n# Plum tree\n",
        start_md="[[plum_tree]] [[Plum tree]] [Plum tree](garden/plum_tree.md) [[Prune]] [[plum_tree|Plum tree]]\n",
        o_org="[[file:garden/plum_tree.md][Plum tree]] [[roam:Plum tree]]\n",
    )
    subject, edit = renamed(vault, "garden/plum_tree.md", "title: Plum‸", "Pear tree")
    assert (subject.kind, subject.name) == ("note", "Plum tree")
    assert edit.moves == (("garden/plum_tree.md", "garden/pear_tree.md"),)
    assert vault.texts == {
        "garden/pear_tree.md": "---\ntitle: Pear tree\naliases: [Pear tree, Prune]\n---\n# Pear tree\n",
        "start.md": "[[pear_tree]] [[Pear tree]] [Pear tree](garden/pear_tree.md) [[Prune]] [[pear_tree|Pear tree]]\n",
        "o.org": "[[file:garden/pear_tree.md][Pear tree]] [[roam:Pear tree]]\n",
    }


def test_a_title_that_does_not_make_the_file_name_changes_alone(vault):
    vault.put(a_md="# Reading list\n", b_md="[[a|Reading list]] [[Reading list]] [[a]]\n")
    _, edit = renamed(vault, "a.md", "# Read‸ing", "Books")
    assert edit.moves == ()
    assert vault.texts["b.md"] == "[[a|Books]] [[Books]] [[a]]\n"


def test_a_note_is_renamed_from_a_link_to_it(vault):
    vault.put(
        x__a_md="text [[b]]\n", b_md="[[a]] [[x/a#^q|a]] [it][r] ![[a]]\n\n[r]: <x/a.md> 't'\n", c_org="[[file:x/a.md]]\n"
    )
    subject, edit = renamed(vault, "b.md", "[[‸a]]", "new name")
    assert (subject.kind, subject.name) == ("note", "a")
    assert edit.moves == (("x/a.md", "x/new name.md"),)
    assert vault.texts["b.md"] == (
        "[[new name]] [[x/new name#^q|new name]] [it][r] ![[new name]]\n\n[r]: <x/new name.md> 't'\n"
    )
    assert vault.texts["c.org"] == "[[file:x/new name.md]]\n"


def test_a_block_id_a_custom_id_a_target_and_an_id(vault):
    vault.put(
        a_md="text ^old\n\n## Head {#cid}\n",
        o_org="* H\n:PROPERTIES:\n:ID: id-1\n:CUSTOM_ID: cu\n:END:\n<<spot>> [[spot]] [[#cu]]\n",
        b_md="[[a#^old]] [x](a.md#^old) [x](a.md#%5Eold) [y](a.md#cid) [z](o.org#cu)\n",
        c_org="[[id:id-1][l]] [[file:o.org::#cu]] [[file:o.org::spot]] [[file:a.md::#cid]]\n",
    )
    renamed(vault, "a.md", "^o‸ld", "new")
    renamed(vault, "a.md", "{#c‸id", "cid2")
    renamed(vault, "o.org", ":CUSTOM_ID: c‸u", "cv")
    renamed(vault, "o.org", "<<sp‸ot", "place")
    renamed(vault, "o.org", ":ID: id‸-1", "id-2")
    assert vault.texts == {
        "a.md": "text ^new\n\n## Head {#cid2}\n",
        "o.org": "* H\n:PROPERTIES:\n:ID: id-2\n:CUSTOM_ID: cv\n:END:\n<<place>> [[place]] [[#cv]]\n",
        "b.md": "[[a#^new]] [x](a.md#^new) [x](a.md#%5Enew) [y](a.md#cid2) [z](o.org#cv)\n",
        "c.org": "[[id:id-2][l]] [[file:o.org::#cv]] [[file:o.org::place]] [[file:a.md::#cid2]]\n",
    }


def test_a_tag_takes_those_nested_in_it_along(vault):
    vault.put(
        a_md="---\ntags: [garden, garden/plum, Garden]\n---\n#garden and #garden/tree, not #gardening\n`#garden`\n",
        b_org="#+filetags: :garden:x:\n* Head :garden:\n",
        c_md="tags:: garden, y\n\n- #garden\n",
    )
    subject, _ = renamed(vault, "a.md", "#gard‸en and", "yard")
    assert (subject.kind, subject.name) == ("tag", "garden")
    assert vault.texts == {
        "a.md": "---\ntags: [yard, yard/plum, yard]\n---\n#yard and #yard/tree, not #gardening\n`#garden`\n",
        "b.org": "#+filetags: :yard:x:\n* Head :yard:\n",
        "c.md": "tags:: yard, y\n\n- #yard\n",
    }


def test_a_heading_that_shows_a_link_changes_with_it_and_so_do_links_to_it(vault):
    vault.put(plum_md="x\n", b_md="## About [[plum]]\n", c_md="[[b#About plum]] [x](b.md#about-plum)\n")
    renamed(vault, "b.md", "[[pl‸um]]", "Pear")
    assert vault.texts["b.md"] == "## About [[Pear]]\n"
    assert vault.texts["c.md"] == "[[b#About Pear]] [x](b.md#about-pear)\n"


def test_the_second_of_two_equal_headings_stays_linked(vault):
    vault.put(a_md="# A\n## Fix\n## Fix\n", b_md="[1](a.md#fix) [2](a.md#fix-1)\n")
    renamed(vault, "a.md", "# A\n## Fi‸x", "Repair")
    assert vault.texts["b.md"] == "[1](a.md#repair) [2](a.md#fix)\n"


def test_links_that_the_new_name_would_shadow_get_a_longer_one(vault):
    vault.graph.conventions = Conventions("obsidian")
    vault.put(deep__er__note_md="x\n", top_md="y\n", b_md="[[note]] [[top]]\n")
    renamed(vault, "b.md", "[[t‸op]]", "note")
    assert vault.texts["b.md"] == "[[er/note]] [[note]]\n"


@pytest.mark.parametrize(
    ("path", "at", "name", "reason"),
    [
        ("a.md", "[[‸b]]", "c", "there is already a file c.md"),
        ("a.md", "[[‸b]]", "x/y", "not allowed"),
        ("a.md", "[[‸b]]", "x#y", "no link could name it"),
        ("a.md", "[[‸b]]", "  ", "needs a name"),
        ("a.md", "[[‸b]]", ".x", "hidden"),
        ("a.md", "[[‸none]]", "x", "no note is called none"),
        ("a.md", "te‸xt", "x", "nothing to rename here"),
        ("a.md", "^b‸1", "b 2", "letters, digits and hyphens"),
        ("a.md", "^b‸1", "b2", "already"),
        ("a.md", "#ta‸g", "a b", "cannot be a tag"),
        ("a.md", "https://a‸.b", "x", "nothing to rename"),
        ("o.org", ":o‸ne:", "a-b", "in Org a tag"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(vault, path, at, name, reason):
    vault.put(a_md="[[b]] text ^b1\n\n[[none]] #tag https://a.b\n\nx ^b2\n", b_md="", c_md="", o_org="* H :one:\n")
    with pytest.raises(UsageError, match=reason):
        renamed(vault, path, at, name)


def test_a_folder_moves_with_notes_files_and_relative_links(vault):
    vault.put(
        x__a_md="[b](b.md) [c](../c.md) ![i](img.png) [[b]] [[c]]\n",
        x__b_md="[[x/a]]\n",
        c_md="[a](x/a.md) [[x/b|b]] [[b]]\n",
        d_org="[[file:x/a.md][a]] [[file:./x/b.md]]\n",
    )
    moves = vault.graph.ask(lambda network: all_moves(network, [("x", "deep/y")]))
    assert moves == {"x": "deep/y", "x/a.md": "deep/y/a.md", "x/b.md": "deep/y/b.md"}
    edit = vault.graph.ask(lambda network: mend_moves(network, vault, moves))
    assert {path: change.after for path, change in edit.edits.items()} == {
        "x/a.md": "[b](b.md) [c](../../c.md) ![i](img.png) [[b]] [[c]]\n",
        "x/b.md": "[[deep/y/a]]\n",
        "c.md": "[a](deep/y/a.md) [[deep/y/b|b]] [[b]]\n",
        "d.org": "[[file:deep/y/a.md][a]] [[file:./deep/y/b.md]]\n",
    }
    assert edit.moves == ()
