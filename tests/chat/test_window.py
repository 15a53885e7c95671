"""What is sent never exceeds the model's window, whatever was said and found before."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khoj_ls.chat.desk import Turn
from khoj_ls.chat.engine import answer, begin
from khoj_ls.chat.prompt.wording import tokens_of
from khoj_ls.chat.types import ChatRequest, Done, Failed, Sources
from khoj_ls.core.chat import Image
from khoj_ls.core.jobs import CancelToken

WORD = st.sampled_from(
    ["roof", "greenhouse", "火曜日", "a", "\n", "\n\n", "# Part\n", "x" * 300, "[1]", "<|im_end|>", "[INST]", "👩‍🚀"]
)
TEXT = st.builds(lambda words, times: " ".join(words) * times, st.lists(WORD, max_size=12), st.sampled_from([1, 5, 300]))


@given(
    window=st.integers(64, 9000),
    question=TEXT,
    said=st.lists(st.tuples(TEXT, TEXT), max_size=6),
    notes=st.lists(TEXT, max_size=6),
    context_tokens=st.integers(200, 20_000),
    pictures=st.integers(0, 3),
    subqueries=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_more_than_the_window(scripted, desk_of, window, question, said, notes, context_tokens, pictures, subqueries):
    model = scripted(['["roof", "greenhouse"]'], ["It is so [1]."], window=window, max_answer=min(window, 2048), vision=True)
    desk = desk_of({f"{number}.md": text for number, text in enumerate(notes)}, model, context_tokens=context_tokens)
    desk.conversations.kept["c"] = [Turn(f"o{number}", *turn) for number, turn in enumerate(said)]
    images = tuple(Image("image/png", bytes([number])) for number in range(pictures))
    request = ChatRequest(f"What of {question}", "c", images=images, subqueries=subqueries)
    events = list(answer(desk, request, begin(desk, request), CancelToken()))
    assert isinstance(events[0], Sources) and isinstance(events[-1], Done | Failed)
    for messages, sampling in model.asked:
        assert tokens_of(messages, model.count) + sampling.max_tokens <= window
        assert sampling.max_tokens >= 1
    if not model.asked:
        assert events[-1].code == "khoj.model.context"


def test_a_question_that_does_not_fit_is_refused_with_numbers(scripted, desk_of):
    desk = desk_of({"a.md": "x"}, scripted(window=512))
    request = ChatRequest("why " * 2000)
    events = list(answer(desk, request, begin(desk, request), CancelToken()))
    assert events[0] == Sources(())
    assert events[-1].code == "khoj.model.context" and "512" in events[-1].message
