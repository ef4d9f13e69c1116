"""The SQL database: an engine with the settings that keep SQLite safe under several processes, and its migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from contracts import ConfigurationError, StoreUnavailableError

_SCRIPTS = Path(__file__).parent / "migrations"


def open_database(url: str) -> Engine:
    """Return an engine on an up-to-date schema. Raises ConfigurationError or StoreUnavailableError."""
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise ConfigurationError(f"FOOTNOTE_CATALOG__URL={url!r} is no database URL: {exc}") from exc
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    try:
        if is_file:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 30} if is_file else {})
        if parsed.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        _migrate(engine, Path(f"{parsed.database}.lock") if is_file else None)
    except (OSError, SQLAlchemyError) as exc:
        raise StoreUnavailableError(
            f"Cannot open the catalog {parsed.render_as_string()!r}: {exc}. Check FOOTNOTE_CATALOG__URL, the folder's "
            "permissions and the free disk space."
        ) from exc
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Begin as the execution option `sqlite_begin` says. A transaction that reads before it writes must take the
    writer's lock at its start ("BEGIN IMMEDIATE"), else it fails when another one wrote in between."""
    if begin := connection.get_execution_options().get("sqlite_begin", "BEGIN"):
        connection.exec_driver_sql(begin)


def _migrate(engine: Engine, lock: Path | None) -> None:
    """Bring the schema to the newest revision; of several processes that start at once, one does it."""
    from contextlib import nullcontext

    from alembic import command
    from alembic.config import Config
    from filelock import FileLock

    writer = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with FileLock(lock, timeout=60) if lock else nullcontext(), writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
