"""What computes a model: the test at the first start, and the rules by which something faster is taken."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.embed import choosing
from khoj_ls.embed.agreement import Agreement, agreement, computed, same_nearest
from khoj_ls.embed.choosing import choose
from khoj_ls.embed.prepare import prepare
from khoj_ls.embed.presets import ModelSpec, resolve_model
from khoj_ls.embed.runtimes import PLAIN, runtimes
from khoj_ls.embed.sentence_transformers_backend import sentence_transformers_backend
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.onnx_backend import OnnxBackend

TEXTS = [f"{first} {second}" for first in ("ab", "cd", "efg", "hij") for second in ("k", "lm", "nop", "a b c d e f", "x y z")]
needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="the extra khoj-ls[openvino] is not installed"
)


def silent(step: object) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def tiny(tiny_model, tmp_path_factory):
    """A prepared tiny model: its spec, its folder and what is known of it."""
    models = tmp_path_factory.mktemp("models")
    spec = ModelSpec("tiny", str(tiny_model), precision="full")
    made = prepare(spec, models, silent)
    return spec, models / spec.slug, made


AGREEMENTS = (
    # cosine, same -> interchangeable
    (1.0, 1.0, True),
    (0.9991, 0.98, True),
    (0.9989, 1.0, False),
    (0.9999, 0.979, False),
)


@pytest.mark.parametrize(("cosine", "same", "expected"), AGREEMENTS)
def test_one_vector_stands_for_another_only_when_it_finds_the_same(cosine, same, expected):
    assert Agreement(cosine, same).interchangeable is expected


def test_agreement_sees_what_is_other():
    numbers = np.random.default_rng(1)
    exact = numbers.standard_normal((40, 16)).astype("<f4")
    near, far = exact + 1e-4 * numbers.standard_normal(exact.shape), numbers.standard_normal(exact.shape)
    assert agreement(unit_rows(exact), unit_rows(near)).interchangeable
    found = agreement(unit_rows(exact), unit_rows(far))
    assert (found.cosine < 0.5, found.same < 0.7) == (True, True)


def test_of_equal_scores_any_counts_as_nearest():
    truth = np.array([[1.0, 0.5, 0.5, 0.1]])
    assert same_nearest(truth, np.array([[1.0, 0.1, 0.5, 0.4]]), nearest=2) == 1.0
    assert same_nearest(truth, np.array([[1.0, 0.1, 0.2, 0.5]]), nearest=2) == 0.5


# (engine, precision, OpenVINO installed) -> the versions on which the choice depends
RUNTIMES = (
    ("auto", "auto", False, {"onnxruntime"}),
    ("auto", "auto", True, {"onnxruntime", "openvino"}),
    ("auto", "full", True, set()),
    ("onnx", "auto", True, {"onnxruntime"}),
    ("onnx", "half", True, set()),
    ("openvino", "full", True, {"onnxruntime", "openvino"}),
    ("auto", "int8", False, {"onnxruntime"}),
)


@pytest.mark.parametrize(("engine", "precision", "installed", "versions"), RUNTIMES)
def test_it_is_chosen_anew_only_where_there_is_something_to_choose(engine, precision, installed, versions, monkeypatch):
    def version(name: str) -> str:
        if installed or name != "openvino":
            return f"9.9-{name}"
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("khoj_ls.embed.runtimes.importlib.metadata.version", version)
    said = runtimes(ModelSpec("tiny", "/tiny", engine=engine, precision=precision))
    assert (said != PLAIN, {name for name in ("onnxruntime", "openvino") if f"9.9-{name}" in said}) == (
        bool(versions),
        versions,
    )


def test_the_ways_of_computing_share_one_export():
    ways = [(backend, precision) for backend in ("auto", "onnx", "openvino") for precision in ("auto", "full", "int8")]
    folders = {resolve_model(EmbeddingSettings(backend=backend, precision=precision)).slug for backend, precision in ways}
    assert len(folders) == 1
    assert resolve_model(EmbeddingSettings(backend="sentence-transformers")).slug not in folders


def test_a_candidate_that_fails_leaves_the_plain_way(tiny, monkeypatch):
    spec, folder, made = tiny

    def broken(*_: object) -> None:
        raise RuntimeError("no such instruction")

    monkeypatch.setattr(choosing, "_openvino", broken)
    found = choose(replace(spec, engine="openvino"), folder, made, TEXTS)
    assert (found.engine, found.precision, found.id) == ("onnxruntime", "f32", made.id)
    assert "no such instruction" in found.chosen


def test_8_bit_weights_have_a_name_of_their_own_say_what_they_cost_and_are_left_again(tiny, tmp_path):
    spec, folder, made = tiny
    found = choose(replace(spec, precision="int8"), folder, made, TEXTS)
    assert (found.precision, found.id) == ("int8", f"{made.id}-int8")
    assert "of the ten nearest are the same, lowest cosine" in found.chosen
    small = OnnxBackend(folder, made.max_tokens, 1, unit_rows, graph="model.int8.onnx")
    exact = OnnxBackend(folder, made.max_tokens, 1, unit_rows)
    assert 0.9 < agreement(computed(exact, TEXTS), computed(small, TEXTS)).cosine < 0.999999
    again = choose(spec, folder, found, TEXTS)
    assert (again.id, again.precision, again.runtime) == (made.id, "f32", PLAIN)


def test_16_bits_are_computed_by_pytorch_when_they_agree(tiny_model, tiny):
    spec, _, made = tiny
    # As on an accelerator, whose part the CPU plays.
    here = msgspec.structs.replace(made, backend="sentence-transformers", source=str(tiny_model))
    found = choosing._on_accelerator(replace(spec, precision="half"), here, TEXTS)
    assert (found.precision, found.id) == ("f16", made.id)
    half = sentence_transformers_backend(Path(tiny_model), "cpu", made.max_tokens, 1024, 32, half=True)
    exact = sentence_transformers_backend(Path(tiny_model), "cpu", made.max_tokens, 1024, 32)
    compared = agreement(computed(exact, TEXTS), computed(half, TEXTS))
    assert 0.999 < compared.cosine < 1.0


def test_a_batch_that_does_not_fit_is_halved(tiny_model, monkeypatch):
    original = SentenceTransformer.encode
    asked = []

    def encode(self, texts, **options):
        asked.append(len(texts))
        if len(texts) > 3:
            raise RuntimeError("MPS backend out of memory")
        return original(self, texts, **options)

    backend = sentence_transformers_backend(Path(tiny_model), "cpu", 24, 1024, 32)
    expected = computed(backend, TEXTS)
    monkeypatch.setattr(SentenceTransformer, "encode", encode)
    found = computed(backend, TEXTS)
    assert agreement(expected, found).cosine > 0.999999
    assert (max(asked) > 3, asked.count(max(asked))) == (True, 1)
    # What was learnt holds for the batches that follow.
    assert max(len(batch.places) for batch in backend.plan(TEXTS)) <= 3


@needs_openvino
def test_openvino_computes_the_backlog_and_onnx_runtime_the_rest(tiny):
    from khoj_ls.models.openvino_backend import OpenVinoBackend

    _, folder, made = tiny
    session = OnnxBackend(folder, made.max_tokens, 1, unit_rows)
    backend = OpenVinoBackend(folder / "model.onnx", session, 2, unit_rows, precision="f32", worth_inputs=8, kept_seconds=0.0)
    exact = computed(session, TEXTS)
    assert agreement(exact[:7], computed(backend, TEXTS[:7])).cosine > 0.999999
    assert not backend.loaded
    assert agreement(exact, computed(backend, TEXTS)).cosine > 0.99999


FIRST_AT_ONCE = """
import sys, threading
from pathlib import Path
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.onnx_backend import OnnxBackend
from khoj_ls.models.openvino_backend import OpenVinoBackend

sys.setswitchinterval(1e-6)
folder = Path(sys.argv[1])
session = OnnxBackend(folder, 24, 1, unit_rows)
backend = OpenVinoBackend(folder / "model.onnx", session, 4, unit_rows, precision="f32", worth_inputs=1)
together = threading.Barrier(4)

def compute():
    [batch] = backend.plan(["a b c"])
    together.wait()
    backend.run(batch)

threads = [threading.Thread(target=compute) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@needs_openvino
def test_threads_that_are_the_first_at_the_same_time_do_not_wait_for_each_other(tiny):
    # Seven of ten times they did, for good, and with Python's lock: no query was answered any more.
    _, folder, _ = tiny
    for _ in range(5):
        subprocess.run([sys.executable, "-c", FIRST_AT_ONCE, str(folder)], check=True, timeout=60)


@needs_openvino
def test_openvino_gives_its_memory_back(tiny, until):
    from khoj_ls.models.openvino_backend import OpenVinoBackend

    _, folder, made = tiny
    session = OnnxBackend(folder, made.max_tokens, 1, unit_rows)
    backend = OpenVinoBackend(folder / "model.onnx", session, 1, unit_rows, precision="f32", worth_inputs=1, kept_seconds=0.2)
    first = computed(backend, TEXTS)
    until(lambda: not backend.loaded)
    assert computed(backend, TEXTS) == first


@needs_openvino
def test_no_telemetry_comes_with_openvino():
    # Even where its package is installed: a stand-in for it raises as soon as it is imported.
    code = (
        "import sys, khoj_ls.models.openvino_backend as b; b.has_bfloat16();"
        "print(sys.modules['openvino_telemetry'], 'openvino' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "True"]
