"""What `footnote eval` tells: what is under way, what was left out, and the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from apps.cli.output import table

if TYPE_CHECKING:
    from apps.evaluation.beir_dataset import Dataset
    from apps.evaluation.dataset_evaluation import EvaluatedDataset, OnStage
    from apps.evaluation.retrieval_evaluation import Comparison, Evaluation
    from apps.evaluation.scipy_statistics import Estimate


@contextmanager
def stages(*, quiet: bool) -> Iterator[OnStage]:
    """Show each stage with a progress bar on a terminal, and as a line elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def begin(name: str, total: int) -> Callable[[int], None]:
            if not (quiet or console.is_terminal):
                typer.echo(f"{name}: {total}", err=True)
            task = progress.add_task(name, total=total)
            return lambda done: progress.update(task, completed=done)

        yield begin


def tell_left_out(dataset: Dataset) -> None:
    """Say on standard error what of a dataset is not used."""
    from apps.evaluation.beir_dataset import LEFT_OUT

    for name, count in dataset.left_out.items():
        if count:
            typer.echo(f"{LEFT_OUT[name]}: {count}", err=True)


def show(done: EvaluatedDataset) -> None:
    """Print the figures: a column for each mode, a row for each measure; then what the modes differ by."""
    dataset, evaluation = done.dataset, done.evaluation
    typer.echo(
        f"{dataset.name}, {dataset.split}: {len(dataset.queries)} queries, {dataset.documents} documents in "
        f"{done.corpus.chunks} chunks, {done.embedder}\n"
    )
    _show_modes(evaluation)
    if evaluation.comparisons:
        typer.echo("")
        _show_comparisons(evaluation)
    typer.echo(
        f"\nIn brackets: 95 % confidence, by the bootstrap over queries. The first {evaluation.depth} documents count."
    )


def _show_modes(evaluation: Evaluation) -> None:
    modes = evaluation.modes
    first = next(iter(modes.values()))
    rows: list[dict[str, object]] = [
        {"": measure, **{name: _interval(mode.estimates[measure]) for name, mode in modes.items()}}
        for measure in first.estimates
    ]
    rows.append({"": "queries/s", **{name: f"{mode.run.queries_per_second:.1f}" for name, mode in modes.items()}})
    rows.append({"": "p50 ms", **{name: f"{mode.run.p50_ms:.1f}" for name, mode in modes.items()}})
    table(("", *modes), rows)


def _show_comparisons(evaluation: Evaluation) -> None:
    rows: dict[str, dict[str, object]] = {}
    for each in evaluation.comparisons:
        rows.setdefault(each.measure, {"": each.measure})[_pair(each)] = f"{each.difference:+.3f} (p {_p(each)})"
    pairs = dict.fromkeys(map(_pair, evaluation.comparisons))
    table(("", *pairs), list(rows.values()))


def _pair(each: Comparison) -> str:
    return f"{each.mode} over {each.other}"


def _p(each: Comparison) -> str:
    return "< .001" if each.p_value < 0.001 else f"= {each.p_value:.3f}".replace("0.", ".")


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.3f}"
    return f"{estimate.mean:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"
