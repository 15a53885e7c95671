"""What khoj_post_search takes out is told nowhere as near in meaning: in no hover, completion or suggestion of a link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from waiting import wait_until

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.graph.gist import Gists
from khoj_ls.graph.neighbours import neighbours
from khoj_ls.graph.suggest import suggest

NOTES = {
    "here.md": "# Here\nThe automobile stands in the garage all winter.\n",
    "open.md": "# Motor\nAn automobile for the summer.\n",
    "closed.md": "---\ntags: [sensitive]\n---\n# Garage plans\nThe automobile is sold, the garage torn down.\n",
}
PLUGIN = """
from dataclasses import replace
from pathlib import Path
from khoj_ls.plugins.kinds import EmbeddingChoice

class Toy:
    id, dimensions, max_tokens, remote = "toy", 3, 600, ""

    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text):
        return [0.1, float("automobile" in text), float("garage" in text)]

@hookimpl
def khoj_embedding_models():
    return [EmbeddingChoice("toy", "Knows two words.", Toy)]

@hookimpl
def khoj_post_search(event):
    if Path({flag!r}).exists():
        return replace(event, hits=tuple(hit for hit in event.hits if "sensitive" not in hit.tags))
"""


def hovered(vault: Any, path: str) -> set[str]:
    context = vault.search_context()
    return {each.path for each in vault.links(lambda network: neighbours(network.connection, context, path, None, 5))}


def suggested(vault: Any, path: str) -> set[str]:
    context, note = vault.search_context(), vault.note(vault.root / path, NOTES[path])
    found = vault.links(lambda network: suggest(network, context, note, len("# Here\nThe auto")))
    return {each.path for each in found if each.signals["meaning"] or each.signals["words"] or each.signals["name"]}


def completed(vault: Any, path: str) -> set[str]:
    context, note, gists = vault.search_context(), vault.note(vault.root / path, NOTES[path]), Gists()

    def near() -> dict[int, float]:
        return gists.near(context, note, len("# Here\nThe auto"), awake=False)

    wait_until(near, "something was near")
    paths = dict(vault.links(lambda network: network.connection.execute("SELECT id, path FROM file").fetchall()))
    return {paths[each] for each in near()}


def test_what_a_plugin_hides_is_not_near(notebook: Any, tmp_path: Path) -> None:
    flag = tmp_path / "hide"
    book = notebook(NOTES, embedding=EmbeddingSettings(model="toy"), hides=PLUGIN.format(flag=str(flag)))
    wait_until(lambda: not book.vault.busy, "the notes were embedded")

    def told() -> dict[str, tuple[bool, bool]]:
        found = {ask.__name__: ask(book.vault, "here.md") for ask in (hovered, suggested, completed)}
        return {name: ("open.md" in paths, "closed.md" in paths) for name, paths in found.items()}

    assert told() == {"hovered": (True, True), "suggested": (True, True), "completed": (True, True)}
    flag.touch()
    assert told() == {"hovered": (True, False), "suggested": (True, False), "completed": (True, False)}
