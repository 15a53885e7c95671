"""`khoj-ls eval`: how good the search is, on retrieval sets and on people's own notes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from khoj_ls.cli.answer import answered
from khoj_ls.cli.connection import Connection, connect
from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.hits import path_of
from khoj_ls.cli.output import echo_json, note, plural, printable
from khoj_ls.cli.progress import shown_progress
from khoj_ls.cli.run import Run, chosen_vault, json_option, run_options, vault_option
from khoj_ls.core.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from khoj_ls.config.settings import Settings
    from khoj_ls.embed.service import EncoderService
    from khoj_ls.evaluation.evaluate import Evaluation
    from khoj_ls.evaluation.own_notes import Ask
    from khoj_ls.evaluation.vectors import VectorCache

_OF_NOTES = ("lexical", "dense", "hybrid")
_COLUMNS = ("ndcg@10", "recall@100", "mrr@10", "p50_ms", "p95_ms")
_HEADS = ("nDCG@10", "recall@100", "MRR@10", "p50", "p95")
_HELP = """Measure how good the search is: nDCG@10, recall@100, MRR@10, and how long answers take.

DIR is a retrieval set in BEIR layout: corpus.jsonl, queries.jsonl, and judgements in qrels.tsv or qrels/test.tsv. Its documents
are indexed as notes in a temporary folder; vectors are kept, so that a second run is fast. With --vault it is your own notes
that answer, and FILE holds your questions: JSON lines, CSV or TSV with the columns query, path, and line or heading if the
answer stands in one place of the note.

\b
Examples:
  khoj-ls eval sets/nfcorpus sets/scifact --baselines
  khoj-ls eval sets/nfcorpus --half even --queries 100 --mode hybrid --json
  khoj-ls eval --vault ~/notes --queries questions.csv --misses
"""


@click.command("eval", help=_HELP)
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path))
@vault_option
@click.option(
    "--queries", metavar="N|FILE", help="Of sets: ask an even sample of N queries. With --vault: the file of questions."
)
@click.option(
    "--mode",
    "modes",
    multiple=True,
    type=click.Choice([*_OF_NOTES, "related"]),
    help="Ask in this mode only; may be repeated. Default: all, and `related` where the queries are documents.",
)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="Search with a profile of yours, or a built-in one; may be repeated to compare them.",
)
@click.option("--half", type=click.Choice(["even", "odd"]), help="Ask every other query: tune on one half, report the other.")
@click.option("--split", metavar="NAME", help="Judgements to use: qrels/NAME.tsv. Default: qrels.tsv, else qrels/test.tsv.")
@click.option(
    "--names",
    type=click.Choice(["opaque", "id"]),
    help="Call the notes of a set by the documents' ids (default), or by number, so that no name helps.",
)
@click.option("--baselines", is_flag=True, help="Measure plain FTS5, the plain model and their rank fusion as well.")
@click.option("--misses", is_flag=True, help="List the queries whose answer is not among the first 10.")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR", help="Where vectors of sets are kept.")
@json_option
@run_options
@click.pass_obj
def command(run: Run, /, folders: tuple[Path, ...], vault: Path | None, queries: str | None, **options: Any) -> int:
    """Measure and show."""
    from khoj_ls.evaluation.measures import check_installed

    if bool(folders) == (vault is not None):
        raise UsageError("name either sets (folders in BEIR layout), or --vault with --queries FILE")
    check_installed()
    try:
        if vault is not None:
            _measure_notes(run, chosen_vault(vault), queries, options)
        else:
            _measure_sets(run, folders, queries, options)
    except KeyboardInterrupt:
        raise Cancelled("cancelled; the vectors made so far are kept, and the next run goes on from there") from None
    return FOUND


# -- sets ------------------------------------------------------------------------------------------------------------------


def _measure_sets(run: Run, folders: Sequence[Path], queries: str | None, options: Mapping[str, Any]) -> None:
    from khoj_ls.config.profiles import find_profile
    from khoj_ls.evaluation.beir import load_set, part_of
    from khoj_ls.evaluation.evaluate import Wish, evaluate

    most = _number(queries)
    # All of them are checked before the first is measured.
    sets = [part_of(load_set(folder, options["split"]), options["half"], most) for folder in folders]
    settings = _settings(run)
    profiles = {name: find_profile(settings.search, name).tuning for name in options["profiles"]}
    with _model(settings, options["cache"]) as (encoder, vectors, scratch):
        below = settings.search.exact_vectors_below
        wish = Wish(options["modes"], profiles, options["names"] or "id", options["baselines"], below)
        for data in sets:
            with shown_progress() as report:
                encoder.prepare(report)
                found = evaluate(data, encoder, vectors, wish, scratch, report)
            _tell(run, found, with_misses=options["misses"])


def _settings(run: Run) -> Settings:
    from khoj_ls.config.load import assignments, load_user_settings
    from khoj_ls.config.paths import folders

    return load_user_settings(folders(), assignments(run.sets))[0]


@contextmanager
def _model(settings: Settings, cache: Path | None) -> Iterator[tuple[EncoderService, VectorCache, Path]]:
    """The model of the user's settings, its cached vectors, and a folder for temporary files."""
    from khoj_ls.config.paths import folders
    from khoj_ls.embed.service import EncoderService
    from khoj_ls.evaluation.vectors import VectorCache
    from khoj_ls.plugins.manager import load_plugins

    here = folders()
    folder = cache or here.data / "evaluation"
    plugins = load_plugins(here, settings.plugins, settings.vaults)
    with closing(EncoderService(settings.embedding, here.models, environment=os.environ, plugins=plugins)) as encoder:
        encoder.prepare()  # only then it is known where a plugin's model sends texts
        if encoder.remote and not settings.embedding.allow_remote:
            raise UsageError(
                f"the texts of the sets would be sent to {encoder.remote}: allow it with --set embedding.allow_remote=true, "
                "or measure a model on this machine with --set embedding.model=fast"
            )
        with closing(VectorCache(folder / "vectors.db", encoder)) as vectors:
            yield encoder, vectors, folder


def _tell(run: Run, found: Evaluation, *, with_misses: bool) -> None:
    _note_what_is_left_out(found)
    answer = found.json(with_misses=with_misses)
    if run.json:
        echo_json(answer)
        return
    baselines = {f"baseline {name}": figures for name, figures in answer.get("baselines", {}).items()}
    heading = f"{answer['set']}: {plural(answer['documents'], 'document')}, {plural(answer['queries'], 'query')}"
    _show(heading, {**baselines, **answer["modes"]})
    _show_misses(answer)


def _note_what_is_left_out(found: Evaluation) -> None:
    data = found.data
    if data.unjudged:
        note(f"{data.name}: {plural(data.unjudged, 'query')} without a judgement above 0 left out")
    if found.unread:
        note(f"{data.name}: {plural(found.unread, 'document')} could not be read as a note, and are never found")
    if found.refused:
        reason = next(iter(found.refused.values()))
        note(
            f"{data.name}: {plural(len(found.refused), 'query')} refused by the search count as not found; the first: {reason}"
        )


def _number(queries: str | None) -> int | None:
    if queries is None:
        return None
    if not (queries.isascii() and queries.isdigit() and int(queries) > 0):
        raise UsageError(f"--queries {queries}: beside sets it takes a number; a file of questions goes with --vault")
    return int(queries)


# -- own notes -------------------------------------------------------------------------------------------------------------


def _measure_notes(run: Run, root: Path, file: str | None, options: Mapping[str, Any]) -> None:
    from khoj_ls.evaluation.measures import figures, misses
    from khoj_ls.evaluation.own_notes import ask_notes, judgements
    from khoj_ls.evaluation.questions import read_questions

    if file is None:
        raise UsageError("--vault wants --queries FILE: your questions, with the notes that answer them")
    for_sets = [f"--{name}" for name in ("half", "split", "names", "baselines", "cache") if options[name]]
    if for_sets or "related" in options["modes"]:
        raise UsageError(f"{', '.join(for_sets) or '--mode related'} is for sets, not for --vault")
    questions = read_questions(Path(file).expanduser(), root)
    modes = options["modes"] or _OF_NOTES
    lacking: dict[str, None] = {}
    with connect(run) as connection:
        ready = {"query": questions[0].query, "limit": 1, "vault": str(root)}
        result = answered(connection, "khoj/search", ready, [root], wait=True, needs_vectors=modes != ("lexical",))
        for message in result["messages"]:
            note(message)
        with shown_progress() as report:
            runs = {
                " ".join(filter(None, (mode, profile))): ask_notes(
                    questions, _asked(connection, root, mode, profile, lacking), mode, report
                )
                for mode in modes
                for profile in options["profiles"] or (None,)
            }
        (status,) = connection.call("khoj/status", {"vault": str(root)})["vaults"]
    for reason in lacking:
        note(f"some answers are not whole: {reason}")
    right = judgements(questions)
    answer: dict[str, Any] = {
        "vault": status["root"],
        "documents": status["files"],
        "queries": len(questions),
        "modes": {mode: figures(right, found).json() for mode, found in runs.items()},
    }
    if options["misses"]:
        answer["misses"] = misses(right, runs)
    if run.json:
        echo_json(answer)
        return
    _show(f"{answer['vault']}: {plural(answer['documents'], 'note')}, {plural(answer['queries'], 'query')}", answer["modes"])
    _show_misses(answer)


def _asked(connection: Connection, root: Path, mode: str, profile: str | None, lacking: dict[str, None]) -> Ask:
    """Passages of the live index in one mode; what its answers lack is told in `lacking`."""
    from khoj_ls.evaluation.own_notes import Passage

    real = os.path.realpath(root)

    def ask(query: str, limit: int) -> tuple[list[Passage], float]:
        params = {"query": query, "limit": limit, "mode": mode, "vault": str(root), "profile": profile}
        result = connection.call("khoj/search", params)
        if result["degraded"]:
            lacking.setdefault(str(result["reason"]))
        return [
            Passage(
                Path(os.path.relpath(path_of(hit["uri"]), real)).as_posix(),
                hit["range"]["start"]["line"] + 1,
                # Of whole lines the wire's end is the line after the last one.
                hit["range"]["end"]["line"] + bool(hit["range"]["end"]["character"]),
            )
            for hit in result["hits"]
        ], result["timings"]["total"]

    return ask


# -- what is shown ---------------------------------------------------------------------------------------------------------


def _show(heading: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(Text("mode"), min_width=16)
    for head in _HEADS:
        table.add_column(Text(head), justify="right", no_wrap=True)
    for name, found in figures.items():
        cells = [_cell(column, found.get(column)) for column in _COLUMNS]
        table.add_row(Text(name), *cells, style="dim" if name.startswith("baseline") else None)
    console = Console(force_terminal=sys.stdout.isatty(), no_color=bool(os.environ.get("NO_COLOR")), width=90, highlight=False)
    with console.capture() as captured:
        console.print(table)
    click.secho(printable(heading), bold=True)
    click.echo("\n".join(f"  {line.rstrip()}" for line in captured.get().splitlines()))


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f} ms" if column.endswith("_ms") else f"{value:.3f}"


def _show_misses(answer: Mapping[str, Any]) -> None:
    for mode, missed in answer.get("misses", {}).items():
        click.echo(f"  {mode}: {len(missed)} of {plural(answer['queries'], 'query')} without an answer among the first 10")
        for miss in missed:
            place = f"place {miss['rank']}" if miss["rank"] else "not found"
            query = " ".join(miss["query"].split())
            shown = query if len(query) <= 100 else f"{query[:99]}…"
            about = f"({place}: {', '.join(miss['answers'])})"
            click.echo(f"    {printable(shown)} {click.style(printable(about), dim=True)}")
