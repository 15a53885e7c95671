"""Chats through the real daemon: events behind the answer, cancelling, clients that go, and a daemon that is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from chat_server import ChatServer, Reply

from khoj_ls.core.errors import DaemonError, UsageError
from khoj_ls.daemon import launch
from khoj_ls.daemon.dial import dial

NOTE = "# Router\n\n## Fix\n\nMoved it to channel 36 and rolled the firmware back.\n"
QUESTION = "which channel is the router on?"


@pytest.fixture
def daemon(toys, home):
    """The daemon as it is shipped, with settings that prepare no embedding model."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('[embedding]\nmodel = "/none"\n')
    launch.ensure_running(toys.folder)
    return toys


@pytest.fixture
def vault(tmp_path, daemon):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / ".khoj.toml").touch()
    (folder / "router.md").write_text(NOTE)
    with daemon.client() as client:
        daemon.wait_until(lambda: client.call("khoj/search", {"query": "firmware", "vault": str(folder)})["hits"])
    return folder


def question(vault, server, **more):
    chosen = {"model": "openai/gpt-4o-mini", "baseUrl": server.url} if server else {}
    return {"message": QUESTION, "vault": str(vault), **chosen, **more}


class Wire:
    """The rpc face, line by line."""

    def __init__(self):
        self.socket = dial("rpc", start=False).socket
        self._lines = self.socket.makefile("rb")

    def send(self, request, method, params):
        self.socket.sendall(json.dumps({"id": request, "method": method, "params": params}).encode() + b"\n")

    def receive(self):
        line = self._lines.readline()
        return json.loads(line) if line else None

    def events(self):
        """The messages up to the end of a turn."""
        found = [self.receive()]
        while found[-1].get("params", {}).get("kind") not in ("done", "failed"):
            found.append(self.receive())
        return found

    def close(self):
        self._lines.close()
        self.socket.close()


@pytest.fixture
def wire(daemon):
    made = []

    def make():
        made.append(Wire())
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_answer_comes_first_and_the_events_behind_it_in_order(wire, vault):
    with ChatServer([Reply(["It is ", "channel ", "36 [1]."])]) as server:
        asking, other = wire(), wire()
        asking.send("q", "khoj/chat", question(vault, server))
        first, *events = asking.events()
    assert first["id"] == "q"
    ids = first["result"]
    assert [event["method"] for event in events] == ["khoj/chatEvent"] * len(events)
    params = [event["params"] for event in events]
    assert [each["seq"] for each in params] == list(range(1, len(params) + 1))
    assert {(each["conversation"], each["turn"]) for each in params} == {(ids["conversation"], ids["turn"])}
    assert (params[0]["kind"], params[-1]["kind"], params[-1]["text"]) == ("sources", "done", "It is channel 36 [1].")
    # To the asking session only.
    other.send(1, "khoj/status", {})
    assert other.receive()["id"] == 1


def test_the_client_streams(daemon, vault):
    with ChatServer(["It is channel 36 [1]."]) as server, daemon.client() as client:
        events = list(client.stream("khoj/chat", question(vault, server)))
        assert [events[0]["kind"], events[-1]["kind"]] == ["sources", "done"]
        assert client.call("khoj/ask", question(vault, server))["text"] == "It is channel 36 [1]."
        with pytest.raises(UsageError, match="is empty"):
            next(client.stream("khoj/chat", {"message": "", "vault": str(vault)}))


def test_a_turn_that_is_cancelled_fails_at_once_with_what_arrived(wire, vault):
    with ChatServer([Reply(["It ", "is "], silent_after=2)]) as server:
        asking = wire()
        asking.send(1, "khoj/chat", question(vault, server))
        text = ""
        turn = asking.receive()["result"]["turn"]
        while text.split() != ["It", "is"]:
            text += asking.receive()["params"].get("text", "")
        asking.send(2, "khoj/chat/cancel", {"turn": turn})
        messages = asking.events()
        assert {"id": 2, "result": {"cancelled": True}} in [*messages, asking.receive() if len(messages) == 1 else None]
        assert server.gone.acquire(timeout=10)
    failed = messages[-1]["params"]
    assert (failed["kind"], failed["code"], failed["text"].split()) == ("failed", "khoj.cancelled", ["It", "is"])


def test_closing_an_iterator_calls_its_turn_off_and_the_connection_serves_on(daemon, vault):
    with ChatServer([Reply(["It "], silent_after=1), "Again."]) as server, daemon.client() as client:
        events = client.stream("khoj/chat", question(vault, server))
        assert next(event for event in events if event["kind"] == "delta")
        events.close()
        assert server.gone.acquire(timeout=10)
        assert list(client.stream("khoj/chat", question(vault, server)))[-1]["text"] == "Again."


def test_a_client_that_is_gone_frees_everything(wire, vault, daemon):
    with ChatServer([Reply(["It "], silent_after=1)]) as server:
        asking = wire()
        asking.send(1, "khoj/chat", question(vault, server))
        started = asking.receive()["result"]
        while asking.receive()["params"]["kind"] != "delta":
            pass
        asking.socket.shutdown(socket.SHUT_RDWR)
        asking.close()
        assert server.gone.acquire(timeout=10)
        with daemon.client() as client:
            daemon.wait_until(lambda: turns(client, vault, started)[0]["state"] == "cancelled", "the turn's end")
            assert turns(client, vault, started)[0]["answer"].strip() == "It"
        daemon.wait_until(lambda: launch.status()["sessions"] == 0)


def test_two_sessions_and_two_turns_of_one_at_the_same_time(daemon, wire, vault):
    gate = threading.Event()
    with ChatServer([Reply(["slow"], gate=gate), Reply(["quick"])]) as server:
        one, other = wire(), wire()
        one.send(1, "khoj/chat", question(vault, server))
        started = one.receive()["result"]
        daemon.wait_until(lambda: server.requests)
        one.send(2, "khoj/chat", question(vault, server))
        quick = one.events()
        assert [each["params"]["text"] for each in quick if each.get("params", {}).get("kind") == "done"] == ["quick"]
        other.send(1, "khoj/chat", question(vault, server, conversation=started["conversation"]))
        assert "is being answered" in other.receive()["error"]["message"]
        gate.set()
        assert one.events()[-1]["params"]["text"] == "slow"


def test_a_client_that_does_not_read_holds_nobody_up(wire, vault, daemon):
    pieces = ["Some words of a line.\n" * 500] * 50  # half a megabyte, more than a socket holds
    with ChatServer([Reply(pieces), Reply(["quick"])]) as server, daemon.client() as client:
        silent = wire()
        silent.send(1, "khoj/chat", question(vault, server))
        started = silent.receive()["result"]
        daemon.wait_until(lambda: server.requests)
        assert list(client.stream("khoj/chat", question(vault, server)))[-1]["text"] == "quick"
        daemon.wait_until(lambda: turns(client, vault, started)[0]["state"] == "done", "the answer's end")
        events = [each["params"] for each in silent.events()]
    assert [each["seq"] for each in events] == list(range(1, len(events) + 1))
    assert "".join(each["text"] for each in events if each["kind"] == "delta").strip() == "".join(pieces).strip()


def test_ctrl_c_calls_the_turn_off_and_tells_its_end(daemon, vault):
    code = """if True:
        import sys, json
        from khoj_ls.daemon.client import DaemonClient
        with DaemonClient.connect(start=False) as client:
            events = client.stream("khoj/chat", json.loads(sys.argv[1]))
            show = lambda event: print(event["kind"], event.get("code", ""), flush=True)
            try:
                for event in events:
                    show(event)
            except KeyboardInterrupt:  # it came while we printed
                show(events.throw(KeyboardInterrupt))
                for event in events:
                    show(event)
    """
    with ChatServer([Reply(["It "], silent_after=1)]) as server:
        command = [sys.executable, "-c", code, json.dumps(question(vault, server))]
        shell = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while not shell.stdout.readline().startswith("delta"):
            pass
        shell.send_signal(signal.SIGINT)
        rest = shell.communicate(timeout=20)[0]
        assert server.gone.acquire(timeout=10)
    assert (rest.split()[-2:], shell.returncode) == (["failed", "khoj.cancelled"], 0)


def test_a_daemon_that_is_killed_has_kept_what_arrived(daemon, vault):
    with ChatServer([Reply(["It ", "is "], silent_after=2)]) as server, daemon.client() as client:
        events = client.stream("khoj/chat", question(vault, server))
        started = next(event for event in events if event["kind"] == "delta")
        with daemon.client() as other:  # what has arrived is written within about a second
            daemon.wait_until(lambda: turns(other, vault, started)[0]["answer"])
        daemon.kill()
        with pytest.raises(DaemonError):
            list(events)
    launch.ensure_running(daemon.folder)
    with daemon.client() as client:
        # A killed process stands in the system's list until it is fetched from there.
        daemon.wait_until(lambda: turns(client, vault, started)[0]["state"] != "running")
        (turn,) = turns(client, vault, started)
    assert (turn["state"], turn["question"]) == ("failed", QUESTION)
    assert turn["answer"].split() in (["It"], ["It", "is"])


def test_a_daemon_that_stops_ends_its_turns(wire, vault):
    with ChatServer([Reply(["It "], silent_after=1)]) as server:
        asking = wire()
        asking.send(1, "khoj/chat", question(vault, server))
        assert asking.receive()["id"] == 1
        while asking.receive()["params"]["kind"] != "delta":
            pass
        assert launch.stop() is True
        assert asking.events()[-1]["params"]["code"] == "khoj.cancelled"
        assert asking.receive() is None
        assert server.gone.acquire(timeout=10)


def test_a_new_model_in_the_settings_holds_without_a_restart(daemon, vault, home):
    with ChatServer(["From the model."]) as server, daemon.client() as client:
        assert client.call("khoj/ask", question(vault, None))["model"] == ""
        for key, value in (("chat.providers.here.base_url", server.url), ("chat.model", "here/small")):
            subprocess.run([sys.executable, "-m", "khoj_ls", "config", "set", key, value], check=True, env=dict(os.environ))
        answer = client.call("khoj/ask", question(vault, None))
    assert (answer["model"], answer["text"]) == ("here/small", "From the model.")


def turns(client, vault, started):
    """The kept turns of a conversation."""
    params = {"action": "get", "conversation": started["conversation"], "vault": str(vault)}
    return client.call("khoj/conversations", params)["turns"]
