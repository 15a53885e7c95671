"""What a worker does with what it reads."""

from __future__ import annotations

import io

from khoj_ls.models.messages import Ask, Cancel
from khoj_ls.models.worker import next_query
from khoj_ls.workers.frames import write_frame


class Heard(list):
    """A backlog that takes down what it is told."""

    def add(self, request):
        self.append(("add", request.id))

    def cancel(self, number):
        self.append(("cancel", number))


def test_what_stands_before_a_query_goes_to_the_backlog_in_order():
    first, second = Ask(2, ["plum"], query=True), Ask(4, ["pear"], query=True)
    stream, backlog = io.BytesIO(), Heard()
    for message in (Ask(1, ["a", "b"]), first, Cancel(1), Ask(3, ["c"]), second, Cancel(3)):
        write_frame(stream, message)
    stream.seek(0)
    assert (next_query(stream, backlog), backlog) == (first, [("add", 1)])
    assert (next_query(stream, backlog), backlog) == (second, [("add", 1), ("cancel", 1), ("add", 3)])
    assert (next_query(stream, backlog), backlog[3:]) == (None, [("cancel", 3)])
