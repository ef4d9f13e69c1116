"""SQLite as the catalog uses it: several writers, readers that do not block deletions, and failures that are named."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from apps.database import open_database
from contracts import ConfigurationError, Cutting, StoreUnavailableError
from tests.library import EMBEDDER, Shelf


def harm(engine: Engine, pragma: str) -> None:
    """Set a pragma on every connection from now on."""
    engine.dispose()

    @event.listens_for(engine, "connect")
    def _set(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.execute(f"PRAGMA {pragma}")


async def test_a_full_disk_is_named_and_leaves_what_was_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    await shelf.put("a", "x")
    with shelf.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    harm(shelf.engine, f"max_page_count={pages}")
    with pytest.raises(StoreUnavailableError, match=r"disk is full.*Free some disk space"):
        await shelf.put("b", "y " * 100_000)
    assert [found.document.id for found in await shelf.catalog.list("default")] == ["a"]
    assert await shelf.feed.generation("default") == 1


async def test_a_database_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    await shelf.put("a", "x")
    harm(shelf.engine, "query_only=ON")
    with pytest.raises(StoreUnavailableError, match=r"readonly.*Make the file and its folder writable"):
        await shelf.put("a", "y")
    assert [chunk.text for chunk in await shelf.catalog.chunks("default", "a")] == ["x"]


async def test_a_database_that_another_process_holds_is_named(tmp_path: Path) -> None:
    shelf, other = Shelf(tmp_path), Shelf(tmp_path)
    await shelf.put("a", "x")
    harm(shelf.engine, "busy_timeout=10")
    with other.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
        connection.exec_driver_sql("UPDATE collections SET generation = 7")
        with pytest.raises(StoreUnavailableError, match=r"locked.*Another process"):
            await shelf.put("a", "y")
        connection.rollback()
    assert await shelf.put("a", "y") == 2


async def test_writers_with_engines_of_their_own_wait_for_one_another(tmp_path: Path) -> None:
    shelves = [Shelf(tmp_path) for _ in range(4)]
    await shelves[0].collections.ensure("default", EMBEDDER.name, Cutting())
    puts = [shelf.put(f"d{n}", f"text {n}\n{k}") for n in range(10) for k, shelf in enumerate(shelves)]
    assert sorted(await asyncio.gather(*puts)) == list(range(1, 41))


async def test_a_reader_puts_only_the_emptying_of_the_log_off(tmp_path: Path) -> None:
    def planted() -> bool:
        return any(b"XYZZY-4711" in file.read_bytes() for file in tmp_path.iterdir())

    shelf = Shelf(tmp_path)
    for n in range(3):
        await shelf.put(f"secret {n}", "XYZZY-4711")
    with shelf.engine.connect() as reader:
        assert len(reader.exec_driver_sql("SELECT text FROM chunks").all()) == 3
        assert await shelf.catalog.delete("default", ["secret 0", "secret 1"]) == 4
        assert len(reader.exec_driver_sql("SELECT text FROM chunks").all()) == 3
    await shelf.catalog.delete("default", ["secret 2"])
    assert not planted()


def test_of_many_that_open_a_new_catalog_at_once_one_makes_the_tables(tmp_path: Path) -> None:
    opened: list[Engine] = []
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    threads = [threading.Thread(target=lambda: opened.append(open_database(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4


def test_a_wrong_url_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'no url'"):
        open_database("no url")
