"""Another process at the same conversations: `python conversations_child.py FOLDER answer|ask [CONVERSATION COUNT]`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from khoj_ls.chat.kept.conversations import KeptConversations
from khoj_ls.chat.types import Done, Source


def answer(kept: KeptConversations) -> None:
    """Answer word by word until killed; say what has been said so far, a line each."""
    conversation, turn = kept.begin(None, "count for me", persona="default", model="toy/counter", replaces=None)
    kept.given(turn, [Source(1, "numbers.md", "Numbers", (), 3, 5, "one two three")])
    print(conversation, turn, flush=True)
    words: list[str] = []
    for number in range(10**6):
        words.append(f"w{number} ")
        kept.arrived(turn, "".join(words))
        print(len(words), flush=True)
        time.sleep(0.02)  # as words of a model arrive


def ask(kept: KeptConversations, conversation: str, count: int) -> None:
    """Ask and answer so many questions in a conversation."""
    for number in range(count):
        _, turn = kept.begin(conversation, f"question {number}", persona="", model="", replaces=None)
        kept.finish(turn, Done(f"answer {number}"))


if __name__ == "__main__":
    folder, what, *rest = sys.argv[1:]
    store = KeptConversations(Path(folder))
    if what == "answer":
        answer(store)
    else:
        ask(store, rest[0], int(rest[1]))
