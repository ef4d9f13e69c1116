"""`footnote eval`: how good is what is found, on judged queries. It needs no other process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from apps.cli.library import with_library
from apps.cli.output import JsonOption, print_json
from apps.cli.run import STOPPED

if TYPE_CHECKING:
    from apps.bootstrap import Library
    from apps.evaluation.dataset_evaluation import EvaluatedDataset

T = TypeVar("T")

app = typer.Typer(help="Measure how well your settings find what they should.", no_args_is_help=True)


@app.callback()
def evaluation() -> None:
    """Measure how well your settings find what they should."""


@app.command()
def retrieval(
    dataset: Annotated[Path, typer.Option(help="A folder with corpus.jsonl, queries.jsonl and qrels/test.tsv (BEIR).")],
    split: Annotated[str, typer.Option(help="The file in qrels/ to judge by; else test, or the only one.")] = "",
    queries: Annotated[Path | None, typer.Option(help="Another file with the queries.")] = None,
    modes: Annotated[str, typer.Option(help="What to compare, with commas.")] = "dense,sparse,hybrid,reranked",
    top_k: Annotated[int, typer.Option("--top-k", min=10, max=1000, help="How many documents to search for.")] = 100,
    limit_queries: Annotated[int, typer.Option(min=0, help="Only so many queries, drawn at random; 0: all.")] = 0,
    per_query: Annotated[Path | None, typer.Option(help="Write each query's figures and hits here, as JSONL.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Cut, embed and index the corpus again.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn at random.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval on a dataset: nDCG, MAP, MRR and recall by mode, with 95 % confidence intervals.

    The corpus is indexed apart from your own documents, and stays so for the next time. The figures are recorded in
    MLflow when it runs.

    Example: footnote eval retrieval --dataset datasets/scifact --per-query scifact.jsonl
    """
    from apps.cli.evaluation_report import show, stages, tell_left_out
    from apps.cli.run import fail_clearly
    from apps.evaluation.beir_dataset import read_dataset

    with fail_clearly():
        chosen = _modes(modes)
        read = read_dataset(dataset, split, queries)
        _check_place(per_query)
    read = read.sample(limit_queries or len(read.queries), seed)
    tell_left_out(read)

    async def run(opened: Library) -> tuple[EvaluatedDataset, bool]:
        from apps.evaluation.dataset_evaluation import evaluate_dataset
        from apps.evaluation.evaluation_record import write_per_query

        with stages(quiet=as_json) as on_stage:
            done = await evaluate_dataset(opened, read, chosen, depth=top_k, seed=seed, fresh=fresh, on_stage=on_stage)
        files = [per_query] if per_query else []
        for file in files:
            write_per_query(file, done.evaluation, read)
        return done, await done.record(opened.indexing.run_log, files)

    done, recorded = _whole(run)
    if as_json:
        print_json({**done.to_json(), "recorded": recorded})
    else:
        show(done)
    _tell_the_rest(done, chosen, recorded=recorded)


def _whole(run: Callable[[Library], Awaitable[T]]) -> T:
    """Return what the work returns; where it is stopped, say that little of it is lost."""
    try:
        return with_library(run)
    except typer.Exit as stopped:
        if stopped.exit_code in STOPPED:
            typer.echo("Stopped. What was indexed is kept: the same command goes on from there.", err=True)
        raise


def _modes(given: str) -> tuple[str, ...]:
    from apps.evaluation.dataset_evaluation import MODES
    from contracts import InvalidInputError

    chosen = tuple(dict.fromkeys(mode.strip() for mode in given.split(",") if mode.strip()))
    wrong = [mode for mode in chosen if mode not in MODES]
    if wrong or not chosen:
        what = f"{wrong[0]!r} is no mode" if wrong else "No mode is named"
        raise InvalidInputError(f"{what}; choose from {', '.join(MODES)}.")
    return chosen


def _check_place(per_query: Path | None) -> None:
    """Find out before hours of work whether the file can be written."""
    from contracts import InvalidInputError

    try:
        if per_query:
            per_query.open("a").close()
    except OSError as exc:
        raise InvalidInputError(f"{str(per_query)!r} cannot be written: {exc.strerror}.") from exc


def _tell_the_rest(done: EvaluatedDataset, chosen: tuple[str, ...], *, recorded: bool) -> None:
    from apps.evaluation.dataset_evaluation import NO_RERANKER

    for mode in chosen:
        if mode not in done.evaluation.modes:
            typer.echo(f"Left out {mode!r}: {NO_RERANKER}.", err=True)
    typer.echo(f"The corpus stays indexed in {done.index}; --fresh does it again.", err=True)
    away = "Not recorded: MLflow does not answer; `footnote up` starts it."
    typer.echo("Recorded in MLflow." if recorded else away, err=True)
