"""Worker and API killed again and again while files arrive: nothing is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pytest

from apps.bootstrap import Library, open_library
from apps.database import open_database
from apps.settings import Settings
from contracts import Caller, JobState, Selection, SourceState, Wording
from ingestion.catalog.sql_views import SqlPassages
from observability.recording_tracer import NullTracer
from retrieval.steps import Steps
from retrieval.views import Wanted
from tests.running_stack import FOOTNOTE, ROOT, free_ports

pytestmark = pytest.mark.integration

ROUNDS = 50
API_KILLED_EVERY = 5
FILES_A_ROUND = 6
LONGEST_LIFE_S = 3.0


@dataclass
class Processes:
    """A worker and an API on a data folder of their own, without model server, cache or MLflow."""

    folder: Path
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        settings = {
            "DATA_DIR": str(self.folder),
            "API__PORT": str(self.port),
            "SERVING__BASE_URL": "http://127.0.0.1:9/v1",
            "OBSERVABILITY__MLFLOW_URL": "http://127.0.0.1:9",
            "CACHE__ENABLED": "false",
            "INGESTION__JOB_ATTEMPTS": str(ROUNDS),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")}
        return inherited | {f"FOOTNOTE_{name}": value for name, value in settings.items()}

    def start(self, name: str) -> None:
        """Start a process and wait until it is ready."""
        ready = self.folder / "run" / "worker.ready"
        ready.unlink(missing_ok=True)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen([FOOTNOTE, name], env=self.env, cwd=ROOT, stdout=log, stderr=log)
        self.wait(ready.exists if name == "worker" else self.answers, f"{name} did not start")

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()

    def answers(self) -> bool:
        """Return whether the API answers."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=2).status_code == 200
        return False

    def wait(self, holds: Callable[[], bool], what: str, timeout_s: float = 90) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline or any(
                process.poll() not in (None, -9) for process in self.running.values()
            ):
                logs = "\n".join(log.read_text()[-2000:] for log in self.folder.glob("*.log"))
                pytest.fail(f"{what}:\n{logs}")
            time.sleep(0.05)

    def upload(self, files: dict[str, str]) -> list[str]:
        """Upload files and return their jobs."""
        parts = [("files", (name, text.encode())) for name, text in files.items()]
        url = f"http://127.0.0.1:{self.port}/v1/collections/default/documents"
        answer = httpx.post(url, files=parts, timeout=30)
        assert answer.status_code == 202, answer.text
        return [job["id"] for job in answer.json()["jobs"]]

    def unfinished(self, jobs: list[str]) -> list[str]:
        """Return the jobs that are not finished."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10) as client:
            states = {job: client.get(f"/v1/jobs/{job}").json()["state"] for job in jobs}
        assert not [job for job, state in states.items() if state in (JobState.FAILED, JobState.CANCELLED)]
        return [job for job, state in states.items() if state != JobState.DONE]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path, *free_ports(1))
    made.start("api")
    yield made
    for process in made.running.values():
        process.kill()
        process.wait()


def text_of(number: int, edition: int) -> str:
    body = "\n\n".join(
        f"Paragraph {part} of text {number} speaks of the marker m{number}e{edition}." for part in range(9)
    )
    return f"Text {number}\n\n{body}\n"


def test_after_any_number_of_crashes_all_views_agree(processes: Processes) -> None:
    chance = random.Random(17)
    jobs: list[str] = []
    sent: dict[str, str] = {}
    for round_number in range(ROUNDS):
        processes.start("worker")
        numbers = [round_number * FILES_A_ROUND + i for i in range(FILES_A_ROUND)]
        files = {f"{number}.txt": text_of(number, 0) for number in numbers}
        files |= {
            name: text_of(int(name[:-4]), round_number) for name in chance.sample(sorted(sent), min(2, len(sent)))
        }
        jobs += processes.upload(files)
        sent |= files
        time.sleep(chance.uniform(0, LONGEST_LIFE_S))
        processes.kill("worker")
        if round_number % API_KILLED_EVERY == 0:
            processes.kill("api")
            processes.start("api")
    processes.start("worker")
    processes.wait(lambda: not processes.unfinished(jobs), "jobs are left", timeout_s=180)
    processes.wait(lambda: not any((processes.folder / "uploads").iterdir()), "uploads are left")
    for name in ("worker", "api"):
        processes.kill(name)
    shutil.rmtree(processes.folder / "run", ignore_errors=True)
    assert_consistent(processes.folder, sent)


def assert_consistent(folder: Path, sent: dict[str, str]) -> None:
    import asyncio

    asyncio.run(_check(Settings(data_dir=folder), {f"upload/{name}": text for name, text in sent.items()}))


async def _check(settings: Settings, sent: dict[str, str]) -> None:
    library = open_library(settings)
    documents = await library.catalog.list("default", limit=10_000)
    assert [each.document.source for each in documents] == sorted(sent)
    states = await library.states.states("default")
    assert set(states) == set(sent) and not [state for state in states.values() if state.reason]
    texts: set[tuple[str, str]] = set()
    versions: set[str] = set()
    for summary in documents:
        document = summary.document
        chunks = await library.catalog.chunks("default", document.id)
        assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
        marker = sent[document.source].split("marker ")[1].split(".")[0]
        assert all(marker in chunk.text for chunk in chunks), f"{document.source} is not in its last version"
        texts |= {(document.source, chunk.text) for chunk in chunks}
        versions |= {version.version for version in await library.catalog.versions("default", document.id)}
        _check_state(states[document.source], document.version)
    assert await _in_views(library) == [texts, texts]
    originals = settings.data_dir / "originals"
    keeping = library.housekeeping  # its sweep removes what an upload left that was cut off, and then came again
    for unused in await keeping.catalog.unused(keeping.originals.settled(0.0)):
        await keeping.originals.discard(unused)
    assert {path.name for path in originals.glob("[0-9a-f][0-9a-f]/*")} == versions


def _check_state(state: SourceState, version: str) -> None:
    assert state.digest == version


async def _in_views(library: Library) -> list[set[tuple[str, str]]]:
    """Return source and text of all that each view finds, opened from the files that are there."""
    engine = open_database(library.settings.catalog_url)
    embedder = library.open_embedder("")
    wanted = Wanted(
        collection="default",
        selection=Selection(Caller().scope),
        texts=(Wording("marker", 1.0),),
        vector=np.full(384, 384**-0.5, dtype=np.float32),
        depth=100_000,
    )
    readable = await SqlPassages(engine).readable("default", Caller().scope)
    findings = await library.views.find(wanted, readable, embedder, Steps(NullTracer()))
    found = []
    for ranking in findings.rankings:
        passages = await SqlPassages(engine).hydrate([key for key, _ in ranking.found])
        assert len(passages) == len(ranking.found)
        found.append({(document.source, chunk.text) for chunk, document in passages.values()})
    return found
