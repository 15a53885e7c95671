"""What is to change in a chat file when a question is asked and while its answer comes. Plain values, nothing is written.

Every function looks at the file as it stands now, whatever the user wrote meanwhile; None says that the place is not any more
what it was left as.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from khoj_ls.chat.file.layout import Change, ChatFile, Exchange, Part, begin_part, mark_line
from khoj_ls.core.text import text_lines


def ask(file: ChatFile, attributes: Mapping[str, str]) -> tuple[Change, ...] | None:
    """Put an empty answer below the last question, and the next question's place below that."""
    prompt = file.prompt
    if prompt is None or not prompt.text:
        return None
    return (Change(prompt.text_end, prompt.end, _answer_and_prompt(file, attributes)),)


def ask_again(file: ChatFile, exchange: Exchange, attributes: Mapping[str, str]) -> tuple[Change, ...]:
    """Put an empty answer in the place of one that was given and of all that followed; what waits to be asked stays."""
    waiting = file.prompt.text if file.prompt and file.prompt is not exchange.question else ""
    question = exchange.question
    return (Change(question.text_end, len(file.text), _answer_and_prompt(file, attributes) + (waiting and waiting + "\n")),)


def grow(file: ChatFile, turn: str, written: str, arrived: str) -> tuple[Change, ...] | None:
    """Write what has arrived of an answer below what is `written` of it; None where the answer was edited or is gone.

    Blanks at the end wait for what follows them: editors take them away when saving.
    """
    part = _growing(file, turn)
    if part is None or not same(part.text, written):
        return None
    return (Change(part.text_end, part.text_end, grown(arrived)[len(written) :]),)


def grown(arrived: str) -> str:
    """All of an answer that may be written once `arrived` is there."""
    return arrived.strip()


def finish(file: ChatFile, turn: str, written: str, body: str, notes: str) -> tuple[Change, ...] | None:
    """Give a completely written answer its last form, and put the notes below it."""
    part = _growing(file, turn)
    if part is None or not same(part.text, written):
        return None
    return _replaced(file, part, body + _notes(file, notes))


def insert_rest(file: ChatFile, turn: str, answer: str, body: str, rest: str, notes: str) -> tuple[Change, ...] | None:
    """Complete an answer of which the writing was stopped.

    Where the file holds its unchanged beginning it becomes `body`; else `rest` is put below what the user made of it.
    """
    part = _growing(file, turn)
    if part is None:
        return None
    if _normal(answer).startswith(_normal(part.text)):
        return _replaced(file, part, body + _notes(file, notes))
    return _replaced(file, part, part.text + ("\n\n" + rest.strip() if rest.strip() else "") + _notes(file, notes))


def same(text: str, other: str) -> bool:
    """Whether two texts differ only in what editors change on their own: line ends, blanks at the ends of lines and of all."""
    return _normal(text) == _normal(other)


def applied(text: str, changes: tuple[Change, ...]) -> str:
    """`text` with all changes made."""
    pieces, at = [], 0
    for change in sorted(changes, key=lambda each: (each.start, each.end)):
        pieces += [text[at : change.start], change.text]
        at = change.end
    return "".join([*pieces, text[at:]])


def _growing(file: ChatFile, turn: str) -> Part | None:
    """The answer of a turn, as long as nothing is told below it."""
    exchange = file.exchange(turn)
    return exchange.answer if exchange and exchange.notes is None else None


def _answer_and_prompt(file: ChatFile, attributes: Mapping[str, str]) -> str:
    answer = begin_part(file.format, file.head.mark, "answer", attributes)
    return f"\n\n{answer}\n\n\n{begin_part(file.format, file.head.mark, 'you')}\n"


def _notes(file: ChatFile, notes: str) -> str:
    return f"\n\n{mark_line(file.format, file.head.mark, 'notes')}\n\n{notes.strip()}".rstrip()


def _replaced(file: ChatFile, part: Part, text: str) -> tuple[Change, ...]:
    """The text of a part by another, changing only the lines that differ."""
    start = part.text_end - len(part.text)
    old, new = text_lines(part.text), text_lines(text)
    starts = [start]
    for line in old:
        starts.append(starts[-1] + len(line))
    return tuple(
        Change(starts[a], starts[b], "".join(new[c:d]))
        for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind != "equal"
    )


def _normal(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).strip()
