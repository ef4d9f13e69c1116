"""How right, how well cited and how honest answers are, end to end, on open question sets, beside two controls.

Run it with ``python -m tests.evaluation.eval_answers DATA --sets squad2 xquad.en --limit 100``; DATA holds qa/ and
multiturn/. The files of a set become a library of their own below `--cache-dir`, read, cut and embedded by the product,
and its questions are answered by the product with the cache off: by the search (`rag`), with the gold passages in place
of the search (`oracle`), and by the model alone (`closed-book`, what it knew before). A model server must run at
`--model-url`; without `--model` it serves the packaged model, as `footnote up` starts it. Other settings are read from
the environment as always.

`--split tune` and `--split report` are halves by title: tune on one, report the other. `--out` takes a JSON line per
question. Latencies are those of `--concurrency` questions at once. Intervals are 95% bootstrap intervals.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from apps.settings import Settings, load_settings
from contracts import AnswerMode
from observability.logs import configure_logs
from tests.evaluation.answer_outcomes import Control, Outcome
from tests.evaluation.answer_report import report
from tests.evaluation.answer_runs import CONTROLS, ask_all, open_desk
from tests.evaluation.answer_set_readers import read_answer_set, set_names
from tests.evaluation.answer_tasks import AnswerSet

_PATIENCE_S = 900.0  # a busy machine is no reason to answer otherwise


def main() -> None:
    """Print a part of the report per set."""
    wanted = _arguments()
    configure_logs("WARNING")
    print(f"$ python -m tests.evaluation.eval_answers {shlex.join(sys.argv[1:])}\n", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in wanted.sets:
            asked = read_answer_set(name, wanted.data).half(wanted.split).sample(wanted.limit, wanted.seed)
            outcomes = asyncio.run(_evaluate(asked, wanted, wanted.cache_dir or Path(scratch)))
            print(report(asked, outcomes, wanted.seed), flush=True)


async def _evaluate(asked: AnswerSet, wanted: argparse.Namespace, folder: Path) -> list[Outcome]:
    done = Counter[Control]()

    def on_done(outcome: Outcome) -> None:
        done[outcome.control] += 1
        _append(wanted.out, outcome)
        counts = ", ".join(f"{control} {count}" for control, count in done.items())
        print(f"\r{asked.name}: {counts}", end="", file=sys.stderr, flush=True)

    async with open_desk(asked, _settings(wanted), folder, AnswerMode(wanted.mode)) as desk:
        tasks = [(task, control) for control in wanted.controls for task in asked.tasks]
        outcomes = await ask_all(desk, tasks, concurrency=wanted.concurrency, on_done=on_done)
    print(file=sys.stderr)
    return outcomes


def _append(path: Path | None, outcome: Outcome) -> None:
    if path:
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(outcome.to_json(), ensure_ascii=False) + "\n")


def _settings(wanted: argparse.Namespace) -> Settings:
    settings = load_settings()
    if wanted.model:
        server = {"model": wanted.model, "base_url": wanted.model_url}
    else:  # the packaged model is the one that has neither
        at = urlsplit(wanted.model_url)
        server = {"model": "", "base_url": "", "host": at.hostname, "port": at.port}
    patient = {**server, "timeout_s": _PATIENCE_S}
    return settings.model_copy(update={"serving": settings.serving.model_copy(update=patient)})


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", choices=set_names(), default=["squad2"], metavar="SET")
    parser.add_argument("--controls", nargs="+", choices=CONTROLS, default=list(CONTROLS))
    parser.add_argument("--model-url", default="http://127.0.0.1:8001/v1")
    parser.add_argument("--model", default="", help="as the server calls it; default: the packaged model")
    parser.add_argument("--mode", choices=[mode.value for mode in AnswerMode], default="grounded")
    parser.add_argument("--limit", type=int, default=100, help="questions of each set, drawn by kind and title")
    parser.add_argument("--split", choices=["all", "tune", "report"], default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--cache-dir", type=Path, help="where libraries stay for the next time")
    parser.add_argument("--out", type=Path, help="a file for a JSON line per question")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
