"""Whatever a file makes its parser do, it ends with a reason, and the files beside it are read."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil
import pytest

from contracts import ParsedFile, ParseError, ParseFailure
from ingestion.parsing.file_groups import FileGroups
from ingestion.parsing.pebble_sandbox import SandboxedParser
from ingestion.parsing.sandbox_worker import Job, Outcome, Refusal
from tests.hostile_parser import make_hostile_parser

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxedParser]:
    parser = SandboxedParser(make_hostile_parser, workers=1, seconds=3, memory_mb=256)
    yield parser
    await parser.close()


async def told(sandbox: SandboxedParser, path: Path, order: str) -> str:
    path.write_text(order)
    return (await sandbox.parse(path, "a.txt")).elements[0].text


@pytest.mark.parametrize(
    ("order", "reason", "says"),
    [
        ("refuse", ParseFailure.ENCRYPTED, "a password is needed"),
        ("break", ParseFailure.CORRUPT, "word/document.xml"),
        ("exit", ParseFailure.CORRUPT, "exit status 3"),
        ("segfault", ParseFailure.CORRUPT, "SIGSEGV"),
        ("sleep", ParseFailure.TIMEOUT, "3 seconds"),
        ("loop", ParseFailure.TIMEOUT, "3 seconds"),
        ("hold 2000", ParseFailure.TOO_LARGE, "memory"),
        ("grab 8000", ParseFailure.TOO_LARGE, "memory"),
        ("fetch http://127.0.0.1:9/", ParseFailure.CORRUPT, "without a network"),
    ],
)
async def test_a_bad_file_ends_with_a_reason_and_the_next_one_is_read(
    order: str, reason: ParseFailure, says: str, sandbox: SandboxedParser, tmp_path: Path
) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        await told(sandbox, tmp_path / "bad", order)
    assert caught.value.reason is reason
    assert await told(sandbox, tmp_path / "good", "say hello") == "hello"


async def test_a_bad_file_harms_none_of_those_beside_it(tmp_path: Path) -> None:
    parser = SandboxedParser(make_hostile_parser, workers=2, seconds=5, memory_mb=256)
    orders = ["exit" if i % 10 == 0 else f"say {i}" for i in range(60)]
    said = await asyncio.gather(
        *(told(parser, tmp_path / str(i), order) for i, order in enumerate(orders)), return_exceptions=True
    )
    await parser.close()
    for i, text in enumerate(said):
        assert isinstance(text, ParseError) if i % 10 == 0 else text == str(i)


async def test_cancelling_ends_the_worker(sandbox: SandboxedParser, tmp_path: Path) -> None:
    pid = int(await told(sandbox, tmp_path / "pid", "pid"))
    task = asyncio.create_task(told(sandbox, tmp_path / "slow", "sleep"))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await told(sandbox, tmp_path / "good", "say hello") == "hello"
    await gone(pid)


async def test_no_process_before_the_first_file_and_none_after_closing(tmp_path: Path) -> None:
    before = len(psutil.Process().children(recursive=True))
    parser = SandboxedParser(make_hostile_parser, workers=1, seconds=5, memory_mb=256)
    assert len(psutil.Process().children(recursive=True)) == before
    pid = int(await told(parser, tmp_path / "pid", "pid"))
    assert psutil.pid_exists(pid)
    await parser.close()
    await gone(pid)


async def test_workers_end_when_nothing_is_parsed_and_others_start_later(tmp_path: Path) -> None:
    parser = SandboxedParser(make_hostile_parser, workers=1, seconds=5, memory_mb=256, idle_seconds=0.3)
    pid = int(await told(parser, tmp_path / "pid", "pid"))
    await gone(pid)
    assert int(await told(parser, tmp_path / "pid", "pid")) != pid
    await parser.close()


async def test_what_a_library_prints_is_not_printed(
    sandbox: SandboxedParser, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await told(sandbox, tmp_path / "loud", "print NOISE")
    assert "NOISE" not in "".join(capfd.readouterr())


async def test_a_group_that_fails_is_sent_file_by_file() -> None:
    groups: list[int] = []

    async def send_group(jobs: Sequence[Job]) -> Sequence[Outcome]:
        groups.append(len(jobs))
        await asyncio.sleep(0.01)
        if any(job.called == "bad" for job in jobs):
            raise OSError("died")
        return [ParsedFile(job.called, "in a group", ()) for job in jobs]

    async def send_one(job: Job) -> Outcome:
        return Refusal(ParseFailure.CORRUPT, "bad") if job.called == "bad" else ParsedFile(job.called, "alone", ())

    files = FileGroups(send_group, send_one, workers=1)
    names = ["bad" if i == 40 else str(i) for i in range(100)]
    said = await asyncio.gather(*(files.parse(Job(Path(name), name, None)) for name in names))
    assert max(groups) == 32
    assert [outcome.title if isinstance(outcome, ParsedFile) else "bad" for outcome in said] == names
    assert {outcome.media_type for outcome in said if isinstance(outcome, ParsedFile)} == {"in a group", "alone"}


SCRIPT = """
import asyncio, sys
from pathlib import Path
from ingestion.parsing.pebble_sandbox import SandboxedParser
from tests.hostile_parser import make_hostile_parser

async def main():
    parser = SandboxedParser(make_hostile_parser, workers=1, seconds=600, memory_mb=256)
    folder = Path(sys.argv[1])
    (folder / "pid").write_text("pid")
    print((await parser.parse(folder / "pid")).elements[0].text, flush=True)
    (folder / "last").write_text(sys.argv[2])
    await parser.parse(folder / "last")

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize("order", ["loop", "say bye"])
def test_workers_end_with_the_program_however_it_ends(order: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script, tmp_path, order], stdout=subprocess.PIPE, text=True, env=environment
    ) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        if order == "loop":
            time.sleep(0.5)
            program.send_signal(signal.SIGKILL)
        else:
            assert program.wait(timeout=20) == 0
    asyncio.run(gone(pid))


async def gone(pid: int) -> None:
    """Wait until the process is no more; a zombie waits only to be counted."""
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} still lives"
        await asyncio.sleep(0.05)
