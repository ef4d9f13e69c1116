"""Deleted means gone: a marker that was planted in documents is in no file and no Redis afterwards."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from redis import Redis

from apps.bootstrap import Library, open_answering, open_library
from apps.settings import CacheSettings, Settings
from apps.sources import Source, identify, local_file
from apps.supervisor import Supervisor
from cache.redis_server import redis_service
from contracts import Answer, Caller, Message, Query, Question
from ingestion.sources.fsspec_tree import FsspecTree
from observability.recording_tracer import NullTracer
from serving.scripted_chat_model import ScriptedChatModel

pytestmark = pytest.mark.integration

MARKER = "Quintessential-Zebrafish-4711"


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    with TemporaryDirectory() as short:
        supervisor = Supervisor(tmp_path)
        service = redis_service(Path(short) / "redis.sock")
        await supervisor.until_ready(service, await supervisor.start(service))
        opened = open_library(Settings(data_dir=tmp_path / "data", cache=CacheSettings(url=service.url)))
        yield opened
        await opened.aclose()
        await supervisor.stop()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "secret.txt").write_text(f"The code name of the project is {MARKER}. It starts in May.")
    (folder / "page.html").write_text(
        f"<html><body><h1>{MARKER}</h1><p>The project {MARKER} is large.</p></body></html>"
    )
    with zipfile.ZipFile(folder / "packed.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("inner.md", f"# Project\n\nIts name is {MARKER}.")
    for number in range(20):
        (folder / f"other-{number}.txt").write_text(f"Another text, number {number}, about the weather in May.")
    return folder


async def sync(library: Library, folder: Path, *, delete: bool = False) -> None:
    plan = await library.syncing.plan([FsspecTree(str(folder))], "default")
    assert not [done async for done in library.syncing.run(plan, delete=delete) if done.reason]


class WideWindow:
    """Counts for a model that holds whatever it is given."""

    async def window(self) -> int:
        return 1_000_000

    async def count(self, messages: Sequence[Message]) -> int:
        return 0


async def ask(library: Library, question: str) -> Answer:
    model = ScriptedChatModel(lambda _: f"The code name is {MARKER} [1].")
    answering = open_answering(library, NullTracer(), model, WideWindow())
    answer = await answering.answer(Question(question))
    await answering.aclose()  # its turn is remembered by then
    return answer


def held(redis: Redis, key: bytes) -> bytes:
    """Return all that Redis holds under a key, as it came."""
    match redis.type(key):
        case b"string":
            return bytes(redis.get(key) or b"")
        case b"set":
            return b"".join(redis.smembers(key))
        case b"hash":
            return b"".join(part for pair in redis.hgetall(key).items() for part in pair)
        case b"vectorset":
            names = redis.execute_command("VRANDMEMBER", key, 1000)
            return b"".join(name + (redis.execute_command("VGETATTR", key, name) or b"") for name in names)
        case other:
            raise AssertionError(f"nobody has looked into a {other!r} yet")


def places(library: Library) -> list[str]:
    """Return where the marker is: in files of the data folder, and in Redis."""
    wanted = [MARKER.encode(), MARKER.lower().encode(), MARKER.encode("utf-16-le")]
    found = [
        str(path)
        for path in library.settings.data_dir.rglob("*")
        if path.is_file() and any(each in path.read_bytes() for each in wanted)
    ]
    with Redis.from_url(library.settings.cache_url) as redis:
        for key in redis.scan_iter():
            if any(each in key + held(redis, key) for each in wanted):
                found.append(f"redis {key!r}")
    return found


@pytest.mark.parametrize("way", ["document", "sync", "collection"])
async def test_a_deleted_document_is_in_no_store(library: Library, files: Path, way: str) -> None:
    await sync(library, files)
    (files / "secret.txt").write_text(f"The code name of the project was {MARKER}, and it started in May.")
    await sync(library, files)  # so that there is an old version too
    answer = await ask(library, f"What is the code name of the project {MARKER}?")
    assert MARKER in answer.text and answer.conversation_id
    await library.conversations.forget(answer.conversation_id, "local")  # what was said is the asker's alone
    vector = (await library.open_embedder("").embed([MARKER]))[0]
    assert len(vector) and any("redis" in place for place in places(library)) and len(places(library)) >= 4

    if way == "document":
        marked = [files / "secret.txt", files / "page.html"]
        ids = [identify("default", str(path)) for path in marked]
        ids.append(identify("default", f"{files / 'packed.zip'}!/inner.md"))
        await library.indexing.remove("default", ids)
    elif way == "sync":
        for name in ("secret.txt", "page.html", "packed.zip"):
            (files / name).unlink()
        await sync(library, files, delete=True)
    else:
        await library.indexing.remove_collection("default")

    assert places(library) == []
    if way != "collection":
        hits = (await library.retriever.retrieve(Query(MARKER, "default", Caller(), 50))).hits
        assert len(hits) == 20 and not any(MARKER in hit.chunk.text for hit in hits)
    await library.housekeeping.compact()
    assert places(library) == []


async def test_what_another_document_still_says_stays(library: Library, files: Path) -> None:
    await sync(library, files)
    copy = files / "copy.txt"
    copy.write_bytes((files / "secret.txt").read_bytes())
    done = await library.indexing.index(Source(str(copy), local_file(copy)))
    assert done.document_id
    await library.indexing.remove("default", [identify("default", str(files / "secret.txt"))])
    hits = (await library.retriever.retrieve(Query(f"code name {MARKER}", "default", Caller(), 5))).hits
    assert [hit.document.source for hit in hits if "code name" in hit.chunk.text] == [str(copy)]
    assert library.originals_path(hits[0].document.version).exists()
