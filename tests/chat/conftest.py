"""A chat model that says what its script says, and a desk made of plain lists: what tests of chat work with.

def test_x(scripted, desk_of):
    model = scripted(["It is ", "so [1]."])
    desk = desk_of(notes={"a.md": "# A\\nIt is so.\\n"}, model=model)
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field, replace

import pytest

from khoj_ls.chat.desk import ChatDesk, Persona, Section, Turn
from khoj_ls.chat.types import Done, Failed
from khoj_ls.config.settings import ChatSettings, SearchSettings
from khoj_ls.core.chat import Delta, Finished, ModelCard, Usage
from khoj_ls.core.errors import UsageError
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Span
from khoj_ls.search.types import SearchHit, SearchResult
from khoj_ls.search.words import query_terms


@dataclass
class ScriptedChatModel:
    """Answers with one script after another: each a list of pieces, an exception among them is raised at its place.

    A script may be a function of (messages, token) that yields pieces. `asked` keeps (messages, sampling) of each call.
    """

    scripts: deque = field(default_factory=deque)
    card: ModelCard = field(default_factory=lambda: ModelCard("scripted", "model", window=8192, max_answer=2048))
    host: str = ""
    remote: bool = False
    asked: list = field(default_factory=list)
    closed_streams: int = 0
    closed: bool = False

    def count(self, text):
        """One token for three characters, which is more than most tokenizers make."""
        return -(-len(text) // 3)

    def stream(self, messages, sampling, token):
        self.asked.append((tuple(messages), sampling))
        script = self.scripts.popleft() if self.scripts else ["There is no more in the script."]
        return self._stream(messages, script, token)

    def _stream(self, messages, script, token):
        written = 0
        try:
            for piece in script(messages, token) if callable(script) else script:
                token.raise_if_cancelled()
                if isinstance(piece, BaseException):
                    raise piece
                if isinstance(piece, Finished):
                    yield piece
                    return
                written += self.count(piece)
                if piece:
                    yield Delta(piece)
            token.raise_if_cancelled()
            yield Finished(Usage(sum(self.count(message.text) for message in messages), written))
        finally:
            self.closed_streams += 1

    def close(self):
        self.closed = True


@dataclass
class ListedNotes:
    """Notes as {path: Markdown text}; sections are cut at `#` lines. Paths in `private` are private."""

    texts: dict
    private: tuple = ()
    pictures: dict = field(default_factory=dict)

    def sections(self, path):
        lines = text_lines(self.texts.get(path, ""))
        starts = [at for at, line in enumerate(lines) if line.startswith("#")]
        if lines and (not starts or starts[0]):
            starts.insert(0, 0)
        found, outline = [], ()
        for start, end in itertools.pairwise([*starts, len(lines)]):
            level = len(lines[start]) - len(lines[start].lstrip("#"))
            heading = lines[start].lstrip("#").strip()
            outline = (*outline[: level - 1], heading) if level else ()
            text = "".join(lines[start:end])
            found.append(Section(path, path.rsplit(".", 1)[0], outline, start + 1, end, text, path in self.private))
        return found

    def section(self, path, line, column=None):
        return next((each for each in self.sections(path) if each.line <= line <= each.end_line), None)

    def chosen(self, item):
        if item.kind == "folder":
            return [each for path in self.texts if path.startswith(item.name) for each in self.sections(path)]
        if item.name not in self.texts:
            raise UsageError(f"there is no note {item.name}")
        sections = self.sections(item.name)
        if item.line is None:
            return sections
        return [each for each in sections if each.line <= (item.end_line or item.line) and item.line <= each.end_line]

    def images(self, path):
        return self.pictures.get(path, ())

    def search(self, request, token):
        """Sections by how many words of the query they hold, best first."""
        asked = set(query_terms(request.query))
        ranked = []
        for path in self.texts:
            for each in self.sections(path):
                held = len(asked & set(query_terms(each.text))) / max(1, len(asked))
                if held and (request.paths is None or any(path.startswith(start) for start in request.paths)):
                    ranked.append((held, each))
        ranked.sort(key=lambda pair: -pair[0])
        hits = tuple(
            SearchHit(
                each.path, Span(0, 0, each.line, each.end_line), each.title, (each.outline or ("",))[-1], each.outline,
                each.text[:80], (), score, "markdown", (), None, each.line,
            )
            for score, each in ranked[: request.limit]
        )  # fmt: skip
        return SearchResult(hits)


@dataclass
class KeptConversations:
    """Conversations in memory; `ended` holds (turn, event) in order."""

    kept: dict = field(default_factory=dict)
    personas: dict = field(default_factory=dict)
    gave: dict = field(default_factory=dict)
    private_history: dict = field(default_factory=dict)
    partial: dict = field(default_factory=dict)
    ended: list = field(default_factory=list)
    ids: object = field(default_factory=itertools.count)

    def begin(self, conversation, message, *, persona, model, replaces):
        if conversation is None:
            conversation = f"c{next(self.ids)}"
            self.kept[conversation] = []
            self.personas[conversation] = persona
        if conversation not in self.kept:
            raise UsageError(f"there is no conversation {conversation}")
        turns = self.kept[conversation]
        if replaces is not None:
            at = next((at for at, turn in enumerate(turns) if turn.id == replaces), None)
            if at is None:
                raise UsageError(f"there is no turn {replaces}")
            message = message or turns[at].question
            del turns[at:]
        turn = Turn(f"t{next(self.ids)}", message, "")
        turns.append(turn)
        return conversation, turn.id

    def given(self, turn, sources, *, private_history=None):
        self.gave[turn] = tuple(sources)
        self.private_history[turn] = private_history

    def arrived(self, turn, text):
        self.partial[turn] = text

    def finish(self, turn, event):
        assert isinstance(event, (Done, Failed))
        self.ended.append((turn, event))
        for turns in self.kept.values():
            for at, each in enumerate(turns):
                if each.id == turn:
                    gave = self.gave.get(turn, ())
                    turns[at] = replace(
                        each,
                        answer=event.text,
                        sources=tuple((s.number, s.path, s.line, s.end_line) for s in gave),
                        private=any(s.private for s in gave) or bool(self.private_history.get(turn)),
                    )

    def turns(self, conversation):
        return tuple(self.kept.get(conversation, ()))

    def persona(self, conversation):
        return self.personas.get(conversation, "")


@dataclass
class OneModel:
    """Whatever is asked for, this is the model; a yes was asked for answers of `consented` tokens, and `refused` is raised."""

    model: object = None
    refused: BaseException | None = None
    error: BaseException | None = None
    consented: list = field(default_factory=list)

    def choose(self, name, base_url=None):
        if self.error:
            raise self.error
        return None if name == "none" else self.model

    def check_consent(self, model, messages, answer):
        self.consented.append(answer)
        if self.refused:
            raise self.refused


@pytest.fixture
def scripted():
    """Makes a ScriptedChatModel: `scripted(["piece", "piece"], ["next answer"], window=2048, remote=True)`."""

    def make(*scripts, window=8192, max_answer=2048, vision=False, remote=False):
        card = ModelCard("scripted", "model", window, max_answer, vision)
        return ScriptedChatModel(deque(scripts), card, "https://far.example" if remote else "", remote)

    return make


@pytest.fixture
def desk_of():
    """Makes a ChatDesk: `desk_of(notes={path: text}, model=..., private=(path,), subqueries=False)`; the rest are settings."""

    def make(notes=None, model=None, *, private=(), pictures=None, models=None, personas=None, search=None, **settings):
        listed = ListedNotes(notes or {}, tuple(private), pictures or {})
        known = {"default": Persona("default", "", "You answer questions about the user's notes."), **(personas or {})}
        return ChatDesk(
            settings=ChatSettings(**settings),
            search_settings=SearchSettings(),
            search=search or listed.search,
            notes=listed,
            conversations=KeptConversations(),
            models=models or OneModel(model),
            personas=lambda: known,
        )

    return make
