from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from khoj_ls.core.errors import Cancelled, DaemonError, KhojError, ModelError, UsageError
from khoj_ls.core.jobs import Progress
from khoj_ls.daemon.client import DaemonClient, error_of
from khoj_ls.daemon.dial import REQUEST_LIMIT
from khoj_ls.daemon.endpoint import NotRunning


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "m", "data": {"code": "khoj.model"}}, ModelError),
        ({"message": "m", "data": {"code": "khoj.cancelled"}}, Cancelled),
        ({"message": "m", "data": {"code": "khoj.daemon"}}, DaemonError),
        ({"message": "m", "data": {"code": "khoj.error"}}, KhojError),
        ({"message": "m", "data": {"code": "khoj.of-a-later-version"}}, KhojError),
        ({"message": "m", "data": None}, KhojError),
        ({"message": "m"}, KhojError),
    ],
)
def test_every_error_of_the_wire_becomes_an_exception_for_people(error, kind):
    raised = error_of(error)
    assert (type(raised), str(raised)) == (kind, "m")


def test_without_a_daemon_there_is_no_connection(home):
    with pytest.raises(NotRunning, match="no daemon is running"):
        DaemonClient.connect(start=False)


def test_one_connection_serves_many_requests_and_their_progress(on_transport):
    on_transport.start()
    seen = []
    with on_transport.client() as client:
        assert client.pid == on_transport.pid
        assert client.call("count", {"total": 3}, seen.append) == 3
        assert client.call("count", {"total": 2}) == 2
        assert client.call("echo", {"a": [1, None, "ü"]}) == {"a": [1, None, "ü"]}
    assert [seen[0], seen[-1]] == [Progress("count", done, 3, "counting", 0.5) for done in (0, 3)]


def test_a_request_that_is_too_long_is_told_and_the_connection_serves_on(on_transport):
    on_transport.start()
    with on_transport.client() as client:
        with pytest.raises(UsageError, match=f"the daemon takes {REQUEST_LIMIT:,}: send less"):
            client.call("echo", {"a": "x" * REQUEST_LIMIT})
        assert client.call("echo", {"a": 1}) == {"a": 1}


def test_a_daemon_that_dies_at_work_is_told(on_transport):
    on_transport.start()
    with on_transport.client() as client:
        client.call("echo")
        on_transport.kill()
        with pytest.raises(DaemonError, match="khoj-ls daemon logs"):
            client.call("wait")


def test_ctrl_c_stops_the_work_in_the_daemon(toys):
    toys.start()
    code = """if True:
        from khoj_ls.core.errors import Cancelled
        from khoj_ls.daemon.client import DaemonClient
        with DaemonClient.connect(start=False) as client:
            try:
                client.call("wait")
            except Cancelled:
                print("waiting still:", client.call("is-waiting"))
    """
    shell = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with toys.client() as client:
        toys.wait_until(lambda: client.call("is-waiting"))
    shell.send_signal(signal.SIGINT)
    assert shell.communicate()[0] == "waiting still: False\n"


def test_it_imports_nothing_but_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); import khoj_ls.daemon.client, khoj_ls.daemon.launch;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert loaded - set(sys.stdlib_module_names) == {"khoj_ls"}
    assert "asyncio" not in loaded
