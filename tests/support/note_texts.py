"""Notes as texts by path, in place of a disk and editors; and a vault of them that is indexed, and edited as a server would."""

from __future__ import annotations

from khoj_ls.content.registry import default_registry
from khoj_ls.graph.edits import VaultEdit
from khoj_ls.graph.open_note import NoteReader, OpenNote

_READER = NoteReader(default_registry())


class NoteTexts:
    """What `graph.edits.Notes` asks for."""

    def __init__(self, texts: dict[str, str] | None = None) -> None:
        self.texts = dict(texts or {})

    def read(self, path: str) -> OpenNote | None:
        return _READER.read(path, self.texts[path]) if path in self.texts else None

    def parse(self, path: str, text: str) -> OpenNote:
        return _READER.read(path, text)

    def exists(self, path: str) -> bool:
        return any(known == path or known.startswith(path + "/") for known in self.texts)


class TextVault(NoteTexts):
    """Notes that are in an index (`graph` of tests/graph/conftest.py) too; what an edit says is done to both."""

    def __init__(self, graph, texts: dict[str, str] | None = None) -> None:
        super().__init__()
        self.graph = graph
        for path, text in (texts or {}).items():
            self.write(path, text)

    def put(self, **texts: str) -> None:
        """Write notes: `dir__a_md` is `dir/a.md`."""
        for path, text in texts.items():
            self.write(path.replace("__", "/").replace("_md", ".md").replace("_org", ".org"), text)

    def write(self, path: str, text: str) -> None:
        self.texts[path] = text
        self.graph.put(path, text)

    def apply(self, edit: VaultEdit) -> VaultEdit:
        """Make the edit, which must have mended every link, of the texts that it was made for."""
        assert edit.unmended == ()
        for path, change in edit.edits.items():
            assert change.note.text == self.texts[path]
            self.texts[path] = change.after
        moved = {new: self.texts.pop(old) for old, new in edit.moves}
        for old, new in edit.moves:
            self.graph.move(old, new)
        self.texts |= moved
        for path, text in edit.created:
            self.write(path, text)
        for path in {*(set(edit.edits) & set(self.texts)), *moved}:
            self.graph.put(path, self.texts[path])
        for path in edit.deleted:
            del self.texts[path]
            self.graph.remove(path)
        return edit
