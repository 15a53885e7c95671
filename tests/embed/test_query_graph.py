"""Queries by 8-bit weights: what is made, when it is used, and what becomes of it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.embed import query_graph
from khoj_ls.embed.agreement import agreement_of_queries, computed, probes
from khoj_ls.embed.choosing import choose
from khoj_ls.embed.prepare import folder_of
from khoj_ls.embed.presets import resolve_model
from khoj_ls.embed.query_graph import QUERY_GRAPH, make_query_graph
from khoj_ls.embed.vectors import unit_rows
from khoj_ls.models.messages import read_model
from khoj_ls.models.onnx_backend import OnnxBackend

pytestmark = pytest.mark.model

WEIGHTS = f"{QUERY_GRAPH}.data"
SPEC = resolve_model(EmbeddingSettings(backend="onnx"))


@pytest.fixture(scope="module")
def prepared(prepared_models, tmp_path_factory):
    """A copy of the default model as it was exported, and what is known of it; no choice was made yet."""
    folder = tmp_path_factory.mktemp("prepared") / "model"
    shutil.copytree(folder_of(prepared_models, SPEC), folder, ignore=shutil.ignore_patterns(f"{QUERY_GRAPH}*"))
    made = read_model(folder_of(prepared_models, SPEC))
    files = {name: size for name, size in made.files.items() if not name.startswith(QUERY_GRAPH)}
    return folder, msgspec.structs.replace(made, queries="f32", queries_chosen="", files=files)


@pytest.fixture(scope="module")
def both(prepared):
    """The model in 32 bits, and by its graph for queries."""
    folder, made = prepared
    make_query_graph(folder)
    exact = OnnxBackend(folder, made.max_tokens, 1, unit_rows)
    return exact, exact.with_graph(QUERY_GRAPH)


@pytest.fixture
def timed(monkeypatch):
    """Set how many times as fast queries are found to be: that is the machine's affair."""
    return lambda gain: monkeypatch.setattr(query_graph, "gain", lambda before, after: (before(), after(), gain)[2])


def test_it_finds_the_same_among_the_notes_though_it_is_another(both):
    exact, small = both
    texts = probes()
    notes, queries = computed(exact, texts), computed(small, texts)
    found = agreement_of_queries(notes, queries, notes)
    assert found.interchangeable
    assert found.cosine < 0.99999


def test_its_weights_are_small_and_the_table_of_tokens_lies_there_once(prepared, both):
    folder, _ = prepared
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    table = 4 * 384 * 30522
    assert sizes[WEIGHTS] < (sizes["model.onnx.data"] - table) / 3
    assert sizes[QUERY_GRAPH] < 1_000_000


def test_queries_of_another_kind_are_told_from_those_that_find_the_same():
    numbers = np.random.default_rng(1)
    exact = numbers.standard_normal((40, 16)).astype("<f4")
    near, far = exact + 1e-4 * numbers.standard_normal(exact.shape), numbers.standard_normal(exact.shape)
    notes = unit_rows(exact)
    assert agreement_of_queries(notes, unit_rows(near), notes).interchangeable
    # Notes may be computed in several ways: a query has to find the same in the worst of them.
    assert agreement_of_queries(notes, unit_rows(near), notes, unit_rows(far)).same < 0.7


@pytest.mark.parametrize(("gain", "queries", "files"), [(2.0, "int8", {QUERY_GRAPH, WEIGHTS}), (1.05, "f32", set())])
def test_it_is_used_only_where_it_is_faster(gain, queries, files, prepared, both, timed):
    folder, made = prepared
    timed(gain)
    found = choose(SPEC, folder, made)
    assert (found.queries, found.id, found.precision) == (queries, made.id, "f32")
    assert f"{gain:.1f} times as fast" in found.queries_chosen
    assert {path.name for path in folder.glob(f"{QUERY_GRAPH}*")} == files
    assert found.files.keys() - made.files.keys() == files
    # What is kept is what lies there: else the model would be made anew at every start.
    assert {name: (folder / name).stat().st_size for name in found.files} == found.files


def test_it_is_not_used_where_it_finds_others(prepared, timed, monkeypatch):
    folder, made = prepared
    timed(2.0)
    monkeypatch.setattr("khoj_ls.embed.agreement.LEAST_SAME", 1.01)
    found = choose(SPEC, folder, made)
    assert (found.queries, found.queries_chosen.endswith(": not used")) == ("f32", True)
    assert not list(folder.glob(f"{QUERY_GRAPH}*"))


def test_where_it_cannot_be_made_queries_stay_as_they_are_and_the_reason_is_told(prepared, timed, monkeypatch):
    folder, made = prepared

    def broken(model: object, **options: object) -> None:
        raise TypeError("unexpected keyword argument 'bits'")

    monkeypatch.setattr("onnxruntime.quantization.matmul_nbits_quantizer.MatMulNBitsQuantizer", broken)
    found = choose(SPEC, folder, made)
    assert (found.queries, "unexpected keyword argument 'bits'" in found.queries_chosen) == ("f32", True)


@pytest.mark.parametrize("precision", ["full", "half"])
def test_settings_that_name_a_precision_leave_queries_in_32_bits(precision, prepared, timed):
    folder, made = prepared
    timed(2.0)
    chosen = choose(SPEC, folder, made)
    found = choose(replace(SPEC, precision=precision), folder, chosen)
    assert (found.queries, found.queries_chosen) == ("f32", "")
    assert found.files == made.files


def test_the_process_computes_queries_by_it_and_notes_in_32_bits(
    prepared_models, prepared, both, tmp_path, timed, make_encoder
):
    folder, made = prepared
    timed(2.0)
    chosen = choose(SPEC, folder, made)
    home = tmp_path / SPEC.slug
    shutil.copytree(folder, home)
    (home / "model.json").write_bytes(msgspec.json.encode(chosen))
    encoder = make_encoder(tmp_path, backend="onnx")
    exact, small = both
    text = "how did I fix the router"
    assert encoder.embed_query(text) == small.compute([text])[0]
    assert encoder.embed_documents([text]) == exact.compute([text])
