"""The databases that catalogs are tested on: SQLite, and PostgreSQL where FOOTNOTE_TEST_POSTGRES names one."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from apps.database import open_database
from tests.library import Shelf

_POSTGRES = os.environ.get("FOOTNOTE_TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", *(["postgresql"] if _POSTGRES else [])])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """A catalog that is empty."""
    if request.param == "sqlite":
        made = Shelf(tmp_path)
        yield made
        made.engine.dispose()
        return
    server = create_engine(_POSTGRES, isolation_level="AUTOCOMMIT")
    schema = f"test_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    engine = open_database(make_url(_POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"}))
    yield Shelf(tmp_path, engine)
    engine.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()
