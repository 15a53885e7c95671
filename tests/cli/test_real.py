"""The real thing: `python -m khoj_ls` over the daemon, on a small vault, as people and programs run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from khoj_ls import __version__
from khoj_ls.store.hnsw_vectors import hnsw_available

pytestmark = pytest.mark.model

NOTES = {
    "router.md": (
        "---\ntags: [home]\ndate: 2024-05-01\n---\n# Router\n\nThe access point dropped clients every night.\n\n"
        "## Fix\n\nMoved it to channel 36 and rolled the firmware back.\n"
    ),
    "bread.org": (
        "#+title: Sourdough\n\n* Starter\nFeed it with rye flour at noon.\n* Baking\nForty minutes in the Dutch oven.\n"
    ),
    "饺子.md": "# 外婆的饺子\n\n韭菜和鸡蛋，面皮要薄。\n",
    "wifi.txt": "When the wireless network fails in the evening, restart the modem, then look who else uses the channel.\n",
}
BROKEN = "broken.md"
UTF_16 = "wifi.txt"
HIT_KEYS = (
    ("path", str),
    ("line", int),
    ("end_line", int),
    ("title", str),
    ("outline", list),
    ("snippet", str),
    ("highlights", list),
    ("score", float),
    ("type", str),
    ("page", type(None)),
    ("place", type(None)),
    ("tags", list),
    ("date", (str, type(None))),
    ("sources", dict),
)
NEVER_IMPORTED = ("numpy", "pygls", "lsprotocol", "torch", "onnxruntime", "sentence_transformers", "rich", "msgspec", "sqlite3")

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"

Completed = subprocess.CompletedProcess[str]


class Khoj:
    """Runs `python -m khoj_ls ...` with one home."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home = home
        self.folder = folder
        self.environment = {**os.environ, "KHOJ_LS_HOME": str(home)}

    def command(self, *arguments: str, python: tuple[str, ...] = ()) -> list[str]:
        return [sys.executable, *python, "-m", "khoj_ls", *arguments]

    def __call__(self, *arguments: str, python: tuple[str, ...] = (), **options: Any) -> Completed:
        usual = {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "timeout": 180}
        return subprocess.run(
            self.command(*arguments, python=python), capture_output=True, text=True, check=False, **{**usual, **options}
        )

    def json(self, *arguments: str, status: int = 0, **options: Any) -> Any:
        """What a verb answers in JSON; stderr is shown when the exit status is not the expected one."""
        done = self(*arguments, "--json", **options)
        assert (done.returncode, done.stderr if done.returncode != status else "") == (status, "")
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def make_khoj(tmp_path_factory: pytest.TempPathFactory, prepared_models: Path) -> Iterator[Callable[[], Khoj]]:
    """Makes homes of their own, with the model prepared, beside a vault of their own; their daemons end with the module."""
    made: list[Khoj] = []

    def make() -> Khoj:
        base = tmp_path_factory.mktemp("khoj")
        home, vault = base / "home", base / "notes"
        (home / "data").mkdir(parents=True)
        (home / "data" / "models").symlink_to(prepared_models)
        vault.mkdir()
        (vault / ".khoj.toml").touch()
        for name, text in NOTES.items():
            (vault / name).write_text(text, encoding="utf-16" if name == UTF_16 else "utf-8")
        (vault / BROKEN).write_bytes(b"# \xff\xfe\x00\x00 no text\n" * 10)
        made.append(Khoj(home, vault))
        return made[-1]

    yield make
    for khoj in made:
        khoj("daemon", "stop")


@pytest.fixture(scope="module")
def khoj(make_khoj: Callable[[], Khoj]) -> Khoj:
    """One vault, indexed."""
    khoj = make_khoj()
    assert khoj("index").returncode == 0
    return khoj


def paths(answer: Any) -> list[str]:
    return [Path(hit["path"]).name for hit in answer["hits"]]


def shape(value: Any) -> Any:
    """The keys of a JSON value, and of what lies in it; which sources and stages there are is not fixed."""
    if isinstance(value, dict):
        return {
            key: None if key in ("sources", "timings", "worker", "requests") else shape(inner) for key, inner in value.items()
        }
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


@pytest.mark.parametrize(
    ("example", "arguments", "status"),
    [
        ("search", ["search", "channel"], 0),
        ("search", ["related", "router.md"], 0),
        ("index", ["index"], 0),
        ("status", ["status"], 0),
        ("why", ["status", "--why", "router.md"], 0),
        ("doctor", ["doctor"], 0),
        ("profiles", ["--set", "search.profiles.journal.recency_bias=0.3", "config", "profiles"], 0),
        ("error", ["related"], 2),
    ],
)
def test_the_documented_shapes(khoj: Khoj, example: str, arguments: list[str], status: int) -> None:
    documented = re.search(rf"^```json {example}\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert documented
    expected, answer = json.loads(documented[1]), khoj.json(*arguments, status=status)
    assert shape(answer) == shape(expected)


def test_a_search_with_a_profile_within_some_notes_by_note(khoj: Khoj) -> None:
    options = ["--profile", "broad", "--tune", "max_per_file=1", "--group", "--in", "router.md", "--in", "bread.org"]
    answer = khoj.json("search", *options, "--mode", "lexical", "firmware", "flour", "channel")
    assert [Path(note["path"]).name for note in answer["notes"]] == list(dict.fromkeys(names(answer["hits"])))
    assert set(names(answer["hits"])) == {"router.md", "bread.org"}
    assert sorted(note["score"] for note in answer["notes"])[::-1] == [note["score"] for note in answer["notes"]]
    assert khoj("search", "--profile", "brod", "channel").stderr == (
        "khoj-ls: there is no profile 'brod'; did you mean broad? (known: default, precise, broad, recent_focused)\n"
    )


def names(hits: list[dict[str, Any]]) -> list[str]:
    return [Path(hit["path"]).name for hit in hits]


def test_index_reports_what_it_did(make_khoj: Callable[[], Khoj]) -> None:
    khoj = make_khoj()
    first = khoj.json("index")
    assert list(first) == [
        "vault",
        "files",
        "entries",
        "chunks",
        "embedded",
        "reused",
        "removed",
        "failures",
        "seconds",
        "warnings",
    ]
    assert (first["vault"], first["files"], first["removed"]) == (str(khoj.folder), 4, 0)
    assert first["embedded"] == first["chunks"] > 0
    assert [failure["path"] for failure in first["failures"]] == [str(khoj.folder / BROKEN)]
    assert [(warning["path"], warning["line"]) for warning in first["warnings"]] == [(str(khoj.folder / UTF_16), 1)]
    again = khoj.json("index", "--force")
    assert (again["embedded"], again["reused"], again["chunks"]) == (0, first["chunks"], first["chunks"])
    khoj("daemon", "stop")  # it would notice by itself
    (khoj.folder / "wifi.txt").unlink()
    assert khoj.json("index", str(khoj.folder), cwd="/")["removed"] == 1


def test_index_shows_what_it_did(make_khoj: Callable[[], Khoj]) -> None:
    khoj = make_khoj()
    done = khoj("index")
    shown = done.stdout.splitlines()
    assert shown[0] == str(khoj.folder)
    assert re.fullmatch(r"  notes     4 files, \d+ entries", shown[1])
    assert "(100%)" not in done.stdout, "progress belongs to stderr"
    named = [line.partition(":")[0].strip() for line in shown[5:]]
    assert named == ["1 file not indexed", BROKEN, "1 file with 1 warning", UTF_16]
    assert khoj("status").stdout.splitlines()[-4:] == shown[5:]


def test_a_vault_that_was_never_indexed_answers_its_first_search(make_khoj: Callable[[], Khoj]) -> None:
    khoj = make_khoj()
    assert paths(khoj.json("search", "firmware", "channel"))[0] == "router.md"
    assert khoj.json("search", "--mode", "dense", "baking bread in the oven")["coverage"] == 1.0


def test_the_json_of_a_search(khoj: Khoj) -> None:
    answer = khoj.json("search", "rolled the firmware back")
    assert list(answer) == ["hits", "degraded", "coverage", "timings"]
    assert (answer["degraded"], answer["coverage"]) == (False, 1.0)
    for hit in answer["hits"]:
        assert [(key, isinstance(hit[key], kind)) for key, kind in HIT_KEYS] == [(key, True) for key, _ in HIT_KEYS]
        assert list(hit) == [key for key, _ in HIT_KEYS]
        assert 0 <= hit["score"] <= 1
    first = answer["hits"][0]
    assert first["path"] == str(khoj.folder / "router.md")
    lines = (khoj.folder / "router.md").read_text().splitlines()[first["line"] - 1 : first["end_line"]]
    assert "Moved it to channel 36 and rolled the firmware back." in lines
    assert first["tags"] == ["home"]
    start, end = first["highlights"][0]
    assert first["snippet"][start:end] == "rolled the firmware back"


@pytest.mark.parametrize(
    ("mode", "query", "found", "retrievers"),
    [
        ("lexical", "韭菜", "饺子.md", {"lexical"}),
        ("lexical", '"rye flour"', "bread.org", {"lexical"}),
        ("dense", "the internet is broken at night", "router.md", {"dense"}),
        ("hybrid", "Dutch oven", "bread.org", {"lexical", "dense"}),
    ],
)
def test_search_by_words_and_by_meaning(khoj: Khoj, mode: str, query: str, found: str, retrievers: set[str]) -> None:
    hits = khoj.json("search", "--mode", mode, "--limit", "3", query)["hits"]
    by_name = {Path(hit["path"]).name: hit for hit in hits}
    assert found in by_name
    assert set(by_name[found]["sources"]) == retrievers


def test_a_folder_in_a_vault_becomes_one_of_its_own_only_with_a_word(make_khoj: Callable[[], Khoj]) -> None:
    khoj = make_khoj()
    (khoj.folder / "sub").mkdir()
    done = khoj("index", "sub")
    assert f"sub lies in the vault {khoj.folder} and is a vault of its own now" in done.stderr
    assert "vault of its own" not in khoj("index", "--vault", str(khoj.folder), "sub").stderr
    assert "it is no regular file but a folder" in khoj("status", "--why", str(khoj.folder)).stdout


def test_what_a_person_sees(khoj: Khoj) -> None:
    done = khoj("search", "--mode", "lexical", "rye", "flour", "starter")
    place, snippet = done.stdout.splitlines()[:2]
    assert re.fullmatch(r"bread\.org:3: Sourdough > Starter \(0\.\d\d, words\)", place)
    assert "Feed it with rye flour at noon." in snippet
    assert "\x1b" not in done.stdout, "no colours where nobody looks"


def test_nothing_found(khoj: Khoj) -> None:
    done = khoj("search", "--mode", "lexical", "zyzzyva")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"khoj-ls: nothing found in {khoj.folder}\n")
    assert khoj.json("search", "--mode", "lexical", "zyzzyva", status=1)["hits"] == []


def test_from_a_folder_inside_the_vault_and_from_outside(khoj: Khoj, tmp_path: Path) -> None:
    (khoj.folder / "sub").mkdir(exist_ok=True)
    assert paths(khoj.json("search", "firmware", cwd=khoj.folder / "sub"))[0] == "router.md"
    assert paths(khoj.json("search", "--vault", str(khoj.folder), "firmware", cwd=tmp_path))[0] == "router.md"


def test_vaults_without_a_marker(make_khoj: Callable[[], Khoj], tmp_path: Path) -> None:
    khoj = make_khoj()
    (khoj.folder / ".khoj.toml").unlink()
    (khoj.folder / "sub").mkdir()
    note = (khoj.folder / "router.md").rename(khoj.folder / "sub" / "router.md")
    khoj.json("index")
    khoj("daemon", "stop")
    assert "wifi.txt" in paths(khoj.json("related", "sub/router.md")), "the current folder is the vault"
    khoj("daemon", "stop")
    assert khoj("config", "set", "vaults", str(khoj.folder)).returncode == 0
    assert paths(khoj.json("search", "firmware", cwd=tmp_path))[0] == "router.md", "listed vaults are searched from anywhere"
    khoj("daemon", "stop")
    assert "wifi.txt" in paths(khoj.json("related", str(note), cwd=note.parent)), "and know their files"
    assert [vault["root"] for vault in khoj.json("status")["vaults"]] == [str(khoj.folder)]
    assert khoj.json("status", "--why", str(note), cwd=tmp_path)["indexed"]


@pytest.mark.parametrize(
    "place", [["router.md"], ["router.md:11"], ["router.md:9-11"], ["--text", "the wireless access point drops its clients"]]
)
def test_related(khoj: Khoj, place: list[str]) -> None:
    answer = khoj.json("related", *place, "--limit", "2")
    assert list(answer) == ["hits", "degraded", "coverage", "timings"]
    assert [list(hit) == [key for key, _ in HIT_KEYS] for hit in answer["hits"]] == [True] * len(answer["hits"])
    assert "wifi.txt" in paths(answer)
    assert ("router.md" in paths(answer)) == (place[0] == "--text"), "never the note itself"


def test_status(khoj: Khoj) -> None:
    status = khoj.json("status", "--vault", str(khoj.folder))
    assert {"pid", "version", "uptime_seconds", "rss_bytes", "worker"} <= set(status["daemon"])
    assert status["daemon"]["version"] == __version__
    (vault,) = status["vaults"]
    assert {"root", "files", "entries", "chunks", "embedded", "queue", "failures", "model", "database_bytes"} <= set(vault)
    assert (vault["root"], vault["files"], vault["queue"], vault["model"]) == (str(khoj.folder), 4, 0, "fast")
    assert vault["embedded"] == vault["chunks"]
    shown = khoj("status").stdout
    assert f"daemon {__version__}" in shown
    assert str(khoj.folder) in shown


@pytest.mark.parametrize(("file", "status"), [("router.md", 0), (".khoj.toml", 1), ("missing.md", 1), (BROKEN, 1)])
def test_why(khoj: Khoj, file: str, status: int) -> None:
    answer = khoj.json("status", "--why", file, status=status)
    assert list(answer) == ["path", "indexed", "reason", "rule"]
    assert (answer["path"], answer["indexed"]) == (str(khoj.folder / file), status == 0)
    assert khoj("status", "--why", file).stdout.startswith(f"{khoj.folder / file}: ")


def test_a_failure_is_one_line_and_exit_status_3(khoj: Khoj) -> None:
    done = khoj("index", "--vault", "/")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert khoj.json("index", "--vault", "/", status=3)["error"]["code"] == "khoj.vault"


def test_in_this_process_the_answers_are_the_same(khoj: Khoj, make_khoj: Callable[[], Khoj]) -> None:
    other = make_khoj()
    assert other.json("--in-process", "index")["files"] == 4
    for mode in ("lexical", "dense", "hybrid"):
        query = ("search", "--mode", mode, "firmware", "channel")
        hits = [hit | {"path": Path(hit["path"]).name} for hit in other.json(*query, "--in-process")["hits"]]
        assert hits == [hit | {"path": Path(hit["path"]).name} for hit in khoj.json(*query)["hits"]]
    assert other.json("daemon", "status", status=1) == {"daemon": None}, "no daemon was started for it"


def test_settings_of_one_run(khoj: Khoj) -> None:
    assert len(khoj.json("search", "channel", "--set", "search.limit=1")["hits"]) == 1
    assert len(khoj.json("search", "channel")["hits"]) > 1


def test_where_no_daemon_can_be_started_the_work_is_done_here(make_khoj: Callable[[], Khoj]) -> None:
    khoj = make_khoj()
    (khoj.home / "run").write_text("not a folder")
    done = khoj("search", "firmware")
    assert done.returncode == 0
    assert done.stdout.startswith("router.md:")
    assert "working without the daemon" in done.stderr


def test_a_reader_that_goes_away_is_no_error(khoj: Khoj) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        khoj.command("search", "channel"),
        cwd=khoj.folder,
        env=khoj.environment,
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert process.communicate(timeout=60) == (None, b"")
    assert process.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("where", [[], ["--in-process"]], ids=["daemon", "in process"])
def test_ctrl_c_calls_the_work_off(make_khoj: Callable[[], Khoj], where: list[str]) -> None:
    khoj = make_khoj()
    for number in range(400):
        text = " ".join(f"sentence {number} {word} of a long note about nothing in particular" for word in range(60))
        (khoj.folder / f"note{number}.md").write_text(f"# Note {number}\n\n{text}\n")
    process = subprocess.Popen(
        khoj.command("index", *where),
        cwd=khoj.folder,
        env=khoj.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("embedding"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.stderr.read().splitlines()[-1].startswith("khoj-ls: cancelled")
    assert process.wait(30) == 130
    if not where:
        embedded = [-1]
        while len(embedded) < 2 or embedded[-1] != embedded[-2]:
            (vault,) = khoj.json("status")["vaults"]
            embedded.append(vault["embedded"])
            time.sleep(0.5)  # a batch takes less: what has not grown by then has stopped
        assert embedded[-1] < vault["chunks"], "the daemon has stopped, too"


def test_a_warm_search_imports_little(khoj: Khoj) -> None:
    done = khoj("search", "channel", python=("-X", "importtime"))
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "khoj_ls.daemon.client" in imported
    assert imported & {*NEVER_IMPORTED, "khoj_ls.vault", "khoj_ls.config.load"} == set()


@pytest.mark.parametrize(
    "arguments",
    [[], ["--stdio"], ["lsp"], ["lsp", "--stdio"], ["lsp", "--in-process"]],
    ids=lambda value: " ".join(value) or "none",
)
def test_the_language_server(khoj: Khoj, arguments: list[str]) -> None:
    messages = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "khoj/search", "params": {"query": "firmware", "vault": str(khoj.folder), "mode": "lexical"}},
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]
    process = subprocess.Popen(
        khoj.command(*arguments), env=khoj.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    answers = {}
    for message in messages:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        process.stdin.flush()
        while "id" in message and message["id"] not in answers:
            answer = read_message(process.stdout)
            answers[answer.get("id")] = answer
    assert answers[1]["result"]["serverInfo"]["name"] == "khoj-ls"
    assert answers[2]["result"]["hits"][0]["uri"] == (khoj.folder / "router.md").as_uri()
    assert process.wait(30) == 0


def read_message(stream: Any) -> Any:
    """One message of the base protocol."""
    length = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    assert length, "the server ended"
    return json.loads(stream.read(length))


def test_the_life_of_a_daemon(make_khoj: Callable[[], Khoj]) -> None:
    khoj = make_khoj()
    assert khoj.json("status") == {"daemon": None, "vaults": []}
    assert khoj("daemon", "status").returncode == 1, "asking starts none"
    started = khoj.json("daemon", "start")["daemon"]
    assert started["version"] == __version__
    assert khoj.json("daemon", "status")["daemon"]["pid"] == started["pid"]
    assert khoj.json("daemon", "start")["daemon"]["pid"] == started["pid"], "one is enough"
    assert f"process {started['pid']}" in khoj("daemon", "logs").stdout
    assert khoj.json("daemon", "stop") == {"stopped": True}
    assert khoj.json("daemon", "stop") == {"stopped": False}


def test_doctor(khoj: Khoj) -> None:
    report = khoj.json("doctor")
    assert report["ok"] is True
    assert {check["state"] for check in report["checks"] if check["name"] in ("sqlite", "weights", "model", "daemon")} == {"ok"}
    assert [list(check) for check in report["checks"]] == [["name", "state", "message", "advice"]] * len(report["checks"])
    assert f"{khoj.folder}: intact" in khoj("doctor").stdout


def test_doctor_finds_what_is_wrong_and_says_what_to_do(make_khoj: Callable[[], Khoj]) -> None:
    khoj = make_khoj()
    assert khoj("index", "--in-process").returncode == 0
    (khoj.home / "config").mkdir(exist_ok=True)
    (khoj.home / "config" / "config.toml").write_text("[search]\nlimt = 3\n[embedding]\nmodel = 'nothing'\n")
    (khoj.home / "config" / "keys.toml").write_text("A = 'b'\n")
    (khoj.home / "config" / "keys.toml").chmod(0o644)
    (database,) = (khoj.home / "data" / "vaults").glob("*/index.db")
    database.write_bytes(b"not a database" * 1000)
    found = {check["name"]: check for check in khoj.json("doctor", status=3)["checks"] if check["state"] != "ok"}
    assert {name: check["state"] for name, check in found.items() if not name.startswith("folder")} == {
        "model": "fail",
        "settings": "warn",
        "keys": "warn",
        "index": "fail",
        **({} if hnsw_available() else {"hnswlib": "warn"}),
    }
    assert all(check["advice"] or "run:" in check["message"] for check in found.values())


def test_demo(khoj: Khoj) -> None:
    done = khoj("demo")
    assert (done.returncode, [line for line in done.stdout.splitlines() if line.startswith("#")]) == (
        0,
        [
            "# A vault is indexed once; later only what changes is read",
            "# By words",
            "# By meaning: no word of the question needs to stand in the note",
            "# What belongs with a note, linked or not",
        ],
    )
    assert "homelab/network.md:" in done.stdout
    assert "homelab/evenings-without-wifi.md:" in done.stdout
