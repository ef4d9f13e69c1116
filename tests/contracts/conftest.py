"""The servers that contracts are tested on: SQLite and, where FOOTNOTE_TEST_POSTGRES names one, PostgreSQL for
catalogs; an embedded Redis for caches."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from apps.database import open_database
from tests.cache_stores import redis_server
from tests.library import Shelf

_POSTGRES = os.environ.get("FOOTNOTE_TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", *(["postgresql"] if _POSTGRES else [])])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.sqlite'}"
        return
    server = create_engine(_POSTGRES, isolation_level="AUTOCOMMIT")
    schema = f"test_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        url = make_url(_POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
        yield url.render_as_string(hide_password=False)
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture
def shelf(database: str, tmp_path: Path) -> Iterator[Shelf]:
    """An empty catalog."""
    made = Shelf(tmp_path, open_database(database))
    yield made
    made.engine.dispose()


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a Redis of the test's own."""
    async with redis_server(tmp_path) as (url, _):
        yield url
