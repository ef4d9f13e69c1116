"""Catalogs of former releases are taken over with all that is in them."""

import hashlib
from pathlib import Path

import numpy as np
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from apps.database import open_database
from contracts import Box, Cutting, ElementKind, Readable
from ingestion.catalog.sql_catalog import read_identity
from ingestion.catalog.sql_schema import metadata as catalog
from retrieval.sql_conversations import metadata as conversations
from tests.library import EMBEDDER, Shelf

FIRST = """
INSERT INTO collections VALUES ('default', 9), ('emptied', 2);
INSERT INTO documents VALUES
    ('d1', 'default', 'a.md', 'v1', 'Trams', 'text/markdown', 7, '{"year": "1911"}', 'hashing-256', 3, 100.5),
    ('d2', 'default', 'b.md', 'v2', 'Trams', 'text/markdown', 8, '{}', 'hashing-256', 4, 200.5),
    ('d3', 'default', 'c.md', 'v3', 'Odd', 'text/markdown', 9, '{}', 'another', 9, 300.5);
INSERT INTO document_readers VALUES ('d1', 'alice'), ('d1', 'staff'), ('d2', '*'), ('d3', '*');
INSERT INTO changes VALUES ('default', 1, 'd1'), ('default', 3, 'd1'), ('default', 4, 'd2'), ('default', 8, 'gone'),
    ('default', 9, 'd3'), ('emptied', 2, 'gone');
INSERT INTO chunks (key, id, document_id, version, position, text, span_start, span_end, page, boxes, headings, kind)
VALUES
    (5, 'c5', 'd1', 'v1', 0, 'They run.', 0, 9, 2, '[[2, 0.1, 0.2, 0.3, 0.4]]', '["Trams", "Times"]', 'table'),
    (6, 'c6', 'd1', 'v1', 1, 'Not at night.', 11, 24, NULL, '[]', '[]', 'text'),
    (7, 'c7', 'd2', 'v2', 0, 'Not at night.', 0, 13, NULL, '[]', '[]', 'text'),
    (8, 'c8', 'd3', 'v3', 0, 'Odd.', 0, 4, NULL, '[]', '[]', 'text'),
    (9, 'c9', 'd3', 'v3', 1, 'Deleted.', 0, 4, NULL, '[]', '[]', 'text');
INSERT INTO jobs VALUES ('j', 'default', 's', 'p', 'done', NULL, 0, NULL, NULL, '', 1, 0, 0);
"""


def vector(number: int) -> np.ndarray:
    return np.eye(256, dtype="<f4")[number]


TOLD = """
INSERT INTO conversations VALUES ('long', 'alice', 100.5), ('odd', 'bob', 200.5), ('empty', 'bob', 300.5);
INSERT INTO messages (conversation_id, role, content) VALUES
    ('odd', 'assistant', 'Good morning.'),
    ('long', 'user', 'When does the museum
 open on Sundays, and does it close early on the day before a public holiday, as it did last year?'),
    ('odd', 'user', 'ärgerlich'),
    ('long', 'assistant', 'At nine. [1]'),
    ('long', 'user', 'And on Mondays?');
"""
LONG_TITLE = "When does the museum open on Sundays, and does it close early on the day before…"


def alembic_on(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "apps/migrations")
    config.attributes["connection"] = connection
    return config


def fill_first_schema(connection: Connection, then: str = "0001") -> None:
    config = alembic_on(connection)
    command.upgrade(config, "0001")
    for statement in FIRST.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT setval(pg_get_serial_sequence('chunks', 'key'), 9)"))
    rows = [(5, "hashing-256"), (6, "hashing-256"), (7, "hashing-256"), (8, "another"), (9, "another")]
    for key, embedder in rows:
        same = 6 if key == 7 else key  # of the same title and text
        values = {"key": key, "embedder": embedder, "vector": vector(same).tobytes()}
        connection.execute(text("INSERT INTO vectors VALUES (:key, :embedder, :vector)"), values)
    connection.execute(text("DELETE FROM vectors WHERE chunk_key = 9"))
    connection.execute(text("DELETE FROM chunks WHERE key = 9"))
    command.upgrade(config, then)


async def test_a_catalog_of_the_first_schema_keeps_its_documents_and_vectors(database: str, tmp_path: Path) -> None:
    former = create_engine(database)
    with former.begin() as connection:
        fill_first_schema(connection)
        name = connection.execute(text("SELECT name FROM identity")).scalar_one()
    former.dispose()

    shelf = Shelf(tmp_path, open_database(database))

    (found,) = await shelf.collections.list()
    assert (found.name, found.embedder, found.cutting, found.generation) == ("default", "hashing-256", Cutting(), 9)
    assert (found.documents, found.chunks, found.failures) == (3, 4, 0)
    one, two, odd = await shelf.catalog.list("default")
    assert (one.document.source, one.document.metadata) == ("a.md", {"year": "1911"})
    assert one.document.readers == ("alice", "staff")
    assert (one.generation, one.ingested_at, one.versions) == (3, 100.5, 1)
    assert (two.document.size, odd.document.title) == (8, "Odd")
    first, _ = await shelf.catalog.chunks("default", "d1")
    assert (first.boxes, first.headings, first.kind) == ((Box(2, 0.1, 0.2, 0.3, 0.4),), ("Trams", "Times"), "table")
    assert first.kind is ElementKind.TABLE
    stored = await shelf.feed.vectors(["d1", "d2", "d3"], EMBEDDER.name)
    assert {each: stored[each].keys.tolist() for each in stored} == {"d1": [5, 6], "d2": [7]}
    np.testing.assert_array_equal(stored["d1"].vectors, [vector(5), vector(6)])
    np.testing.assert_array_equal(stored["d2"].vectors, [vector(6)])
    changes = [(c.generation, c.document_id) for c in await shelf.feed.changes("default", 0)]
    assert changes == [(3, "d1"), (4, "d2"), (8, "gone"), (9, "d3")]
    states = (await shelf.states.states("default")).values()
    assert [(each.source, each.digest, each.recipe) for each in states] == [
        ("a.md", "v1", ""),
        ("b.md", "v2", ""),
        ("c.md", "v3", ""),
    ]
    assert read_identity(shelf.engine) == name
    hashed = hashlib.sha256(b"Trams > Times\nThey run.").hexdigest()[:32]
    assert list(await shelf.catalog.known_vectors([hashed], EMBEDDER.name)) == [hashed]

    await shelf.put("new", "text", collection="emptied")
    assert (await shelf.feed.vectors(["new"], EMBEDDER.name))["new"].keys.tolist() == [10]
    assert await shelf.feed.generation("emptied") == 3
    shelf.engine.dispose()


async def test_collections_of_the_schema_before_readers_are_for_everyone(database: str, tmp_path: Path) -> None:
    former = create_engine(database)
    with former.begin() as connection:
        fill_first_schema(connection, then="0002")
    former.dispose()

    shelf = Shelf(tmp_path, open_database(database))

    assert [found.readers for found in await shelf.collections.list()] == [("*",)]
    assert await shelf.passages.readable("default", ["*"]) == Readable(9, EMBEDDER.name)
    await shelf.collections.share("default", ["alice"])
    assert [found.readers for found in await shelf.collections.list()] == [("alice",)]
    shelf.engine.dispose()


def test_conversations_of_the_schema_before_titles_get_theirs_and_can_go_back(database: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        config = alembic_on(connection)
        command.upgrade(config, "0003")
        for statement in TOLD.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        before = connection.exec_driver_sql("SELECT * FROM messages ORDER BY id").all()
        command.upgrade(config, "0004")
        told = "SELECT id, principal, created_at, updated_at, title, summary, summarised_until FROM conversations"
        assert connection.exec_driver_sql(f"{told} ORDER BY created_at").all() == [
            ("long", "alice", 100.5, 100.5, LONG_TITLE, "", 0),
            ("odd", "bob", 200.5, 200.5, "ärgerlich", "", 0),
            ("empty", "bob", 300.5, 300.5, "", "", 0),
        ]
        assert connection.exec_driver_sql("SELECT tokens FROM messages ORDER BY id").scalars().all() == [4, 30, 3, 4, 4]
        command.downgrade(config, "0003")
        assert connection.exec_driver_sql("SELECT * FROM messages ORDER BY id").all() == before
        assert connection.exec_driver_sql("SELECT * FROM conversations WHERE id = 'odd'").all() == [
            ("odd", "bob", 200.5)
        ]
        command.upgrade(config, "0004")
        assert connection.exec_driver_sql(told).all()
    engine.dispose()


async def test_hidden_passages_of_the_schema_before_flags_are_flagged(database: str, tmp_path: Path) -> None:
    former = create_engine(database)
    with former.begin() as connection:
        fill_first_schema(connection, then="0004")
        connection.execute(text("UPDATE chunks SET hidden = :yes WHERE key IN (6, 8)"), {"yes": True})
        connection.execute(
            text(
                "INSERT INTO versions SELECT 'd2', 'v0', title, media_type, size, metadata, 1 FROM versions "
                "WHERE document_id = 'd2'"
            )
        )
        columns = "id, position, text, span_start, span_end, boxes, headings, kind, focus, text_hash"
        connection.execute(
            text(
                f"INSERT INTO chunks (document_id, version, hidden, {columns}) "
                f"SELECT 'd2', 'v0', :yes, {columns} FROM chunks WHERE key = 7"
            ),
            {"yes": True},
        )
    former.dispose()

    shelf = Shelf(tmp_path, open_database(database))

    assert {each.document.id: each.flagged for each in await shelf.catalog.list("default")} == {
        "d1": 1,
        "d2": 0,  # of its current version
        "d3": 1,
    }
    assert [chunk.flags for chunk in await shelf.catalog.chunks("default", "d1")] == [(), ("hidden_text",)]
    assert [chunk.flags for chunk in await shelf.catalog.chunks("default", "d2", "v0")] == [("hidden_text",)]
    await shelf.put("new", "text")
    assert [chunk.flags for chunk in await shelf.catalog.chunks("default", "new")] == [()]
    shelf.engine.dispose()


def test_flags_can_be_taken_back_and_given_again(database: str) -> None:
    engine = open_database(database)
    engine.dispose()
    plain = create_engine(database)
    for revision in ("0004", "head", "0004", "head"):
        with plain.begin() as connection:
            config = Config()
            config.set_main_option("script_location", "apps/migrations")
            config.attributes["connection"] = connection
            (command.downgrade if revision == "0004" else command.upgrade)(config, revision)
            columns = {each["name"] for each in inspect(connection).get_columns("chunks")}
            assert ("flags" in columns) == (revision == "head")
    plain.dispose()


def test_the_migrations_make_the_tables_that_the_code_knows(database: str) -> None:
    engine = open_database(database)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), [catalog, conversations])
    engine.dispose()
    assert found == []


def test_opening_it_again_changes_nothing(database: str) -> None:
    engine = open_database(database)
    again = open_database(database)
    assert read_identity(engine) == read_identity(again)
    engine.dispose()
    again.dispose()
