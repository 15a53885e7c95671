"""What is searched for: the message's own words, and what a model would look for beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from types import MappingProxyType

from khoj_ls.chat.prompt.shield import words_only
from khoj_ls.chat.prompt.wording import tokens_of
from khoj_ls.chat.question.deadline import Deadline
from khoj_ls.core.chat import ChatModel, Delta, Finished, Message, Sampling, Usage
from khoj_ls.core.errors import KhojError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.plugins.kinds import QueryFilter
from khoj_ls.query.own_filters import expanded
from khoj_ls.query.parse import parse, tokens

MOST_QUERIES = 5
_MOST_CHARS = 200
QUERY_TOKENS = 160
"""Most tokens of what a model would search for."""
TOLD_FOR_QUERIES = 4
"""So many of the last messages it is told for that."""
_SECONDS = 8.0

_ASK = (
    "You prepare searches in the user's own notes. Read the conversation and the last question. Write what to search for so "
    "that the answer is found: at most {most} short searches, each complete in itself (names, not words such as it or they), "
    "in the language of the question. Answer with a JSON array of strings and nothing else. Example: "
    '["budget of the garden project", "who pays for the greenhouse"]'
)


@dataclass(frozen=True)
class Search:
    """What is searched for, and what the model is asked."""

    query: str
    """For the search: words, phrases and filters."""
    question: str
    """The message as it was written, without what only steers the search; all of it where there is nothing else."""
    filters: str
    """The filters alone, as written."""
    notice: str = ""
    """What the user should know of the query: a filter that does not exist."""


def reading(message: str, own: Mapping[str, QueryFilter] = MappingProxyType({})) -> Search:
    """A message read as a question and a query. A wrong filter is told, and its words are searched for as words.

    `own` are the filters of plugins.
    """
    try:
        message = expanded(message, own)
        parse(message)
    except UsageError as error:
        return Search(as_words(message), message, "", f"{error} The message was searched for as plain words.")
    kept, filters, at = [], [], 0
    for found in tokens(message, lenient=True):
        steering = "name" in found.re.groupindex
        if steering or found[1] == "-":
            kept.append(message[at : found.start()])
            filters.append(found[0])
        else:
            kept.append(message[at : found.end()].replace('+"', '"'))
        at = found.end()
    kept.append(message[at:])
    question = "".join(kept) if not filters else re.sub(r"[ \t]{2,}", " ", "".join(kept)).strip()
    return Search(message, question or message, " ".join(filters))


def unsearched(message: str) -> Search:
    """A message that nothing is searched for: what looks like a filter is part of it."""
    return Search(message, message, "")


def with_words(search: Search, more: str, filters: str = "") -> str:
    """The query with more words, and the filters of an earlier question where it has none of its own."""
    kept = filters if not search.filters else ""
    return " ".join(part for part in (search.query, more, kept) if part)


def as_words(message: str) -> str:
    """The message as words that no filter and no phrase is read into."""
    return re.sub(r'["“”„]', " ", re.sub(r"[:=<>](?=\S)", " ", message))


def ask_queries(
    model: ChatModel, history: Sequence[Message], question: str, token: CancelToken
) -> tuple[tuple[str, ...], Usage | None]:
    """What the model would search for, at most `MOST_QUERIES`, and what asking it took; nothing where it fails or is slow.

    Raises Cancelled when `token` is cancelled.
    """
    sampling = Sampling(min(QUERY_TOKENS, model.card.max_answer), 0.0)
    told = history
    while tokens_of(asked := _asked(told, question), model.count) + sampling.max_tokens > model.card.window:
        if not told:
            return (), None
        told = told[1:]
    limit = Deadline(token, _SECONDS)
    text, usage = "", None
    try:
        with closing(stream_of(model, asked, sampling, limit)) as pieces:
            for piece in pieces:
                limit.raise_if_cancelled()
                if isinstance(piece, Finished):
                    usage = piece.usage
                else:
                    text += piece.text
    except KhojError:  # the answer does not depend on it; if the service is down, the answer itself will say so
        token.raise_if_cancelled()
    return read_queries(text), usage


def _asked(history: Sequence[Message], question: str) -> list[Message]:
    said = "\n".join(f"{message.role}: {words_only(message.text)}" for message in history)
    talk = f"Conversation:\n{said}\n\nLast question:\n{words_only(question)}\n\nJSON array:"
    return [Message("system", _ASK.format(most=MOST_QUERIES)), Message("user", talk)]


def stream_of(
    model: ChatModel, messages: Sequence[Message], sampling: Sampling, token: CancelToken
) -> Generator[Delta | Finished, None, None]:
    """The model's answer as a generator, which closes the answer when it is closed."""
    yield from model.stream(messages, sampling, token)


def read_queries(answer: str) -> tuple[str, ...]:
    """The searches that a model's answer names: a JSON array, or an object that holds one; else its quoted strings or lines."""
    found = _from_json(answer)
    if found is None:
        cut = answer[answer.find("[") :] if "[" in answer else ""
        found = [_unescaped(text) for text in re.findall(r'"((?:[^"\\\n]|\\.)+)"', cut)]
    if not found:
        found = [line for line in (re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", line) for line in _listed(answer)) if line]
    searches = (" ".join(text.split())[:_MOST_CHARS].strip() for text in found)
    return tuple(dict.fromkeys(text for text in searches if re.search(r"\w", text)))[:MOST_QUERIES]


def _listed(answer: str) -> list[str]:
    return [line for line in answer.splitlines() if re.match(r"\s*(?:[-*•]|\d+[.)])\s+", line)]


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _from_json(answer: str) -> list[str] | None:
    decoder = json.JSONDecoder()
    for start in (at for at, char in enumerate(answer[:4000]) if char in "[{"):
        try:
            value, _ = decoder.raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        if found := _strings(value):
            return found
    return None


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return next((found for found in (_strings(each) for each in value.values() if isinstance(each, list)) if found), [])
    if isinstance(value, list):
        return [text for each in value for text in ([each] if isinstance(each, str) else _query_of(each))]
    return []


def _query_of(value: object) -> list[str]:
    """The first text of an object in the list: models write `{"query": "..."}` unasked."""
    return [text for text in value.values() if isinstance(text, str)][:1] if isinstance(value, dict) else []


def plus(first: Usage | None, second: Usage | None) -> Usage | None:
    """What two calls took together."""
    if first is None or second is None:
        return first or second
    return replace(
        first,
        input_tokens=first.input_tokens + second.input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        estimated=first.estimated or second.estimated,
    )
