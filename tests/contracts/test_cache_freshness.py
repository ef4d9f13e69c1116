"""No answer is stale, or seen by who may not see it, on the real stores of answers."""

import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from cache.redis_answer_cache import RedisAnswerCache
from cache.redis_connection import RedisConnection
from cache.redis_server import redis_service
from cache.sqlite_answer_cache import SqliteAnswerCache
from cache.sqlite_store import SqliteStore
from tests.changing_library import ChangingLibrary, Close

FEW = settings(max_examples=6, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis without an event loop: each run of the machine has one of its own."""
    with TemporaryDirectory() as short:
        service = redis_service(Path(short) / "redis.sock")
        with subprocess.Popen(service.argv, stdout=subprocess.DEVNULL) as server:
            try:
                while not service.ready():
                    assert server.poll() is None
                    time.sleep(0.05)
                yield service.url
            finally:
                server.terminate()


def test_in_redis() -> None:
    with redis() as url:

        class InRedis(ChangingLibrary):
            @staticmethod
            async def open_store() -> tuple[RedisAnswerCache, RedisAnswerCache, Close]:
                connection = RedisConnection(url, timeout_s=5.0)
                cache = RedisAnswerCache(connection, identity=uuid.uuid4().hex)

                async def close() -> None:
                    await cache.close()
                    await connection.close()

                return cache, cache, close

        run_state_machine_as_test(InRedis, settings=FEW)
        assert InRedis.hits > 5


def test_in_sqlite(tmp_path: Path) -> None:
    class InSqlite(ChangingLibrary):
        @staticmethod
        async def open_store() -> tuple[SqliteAnswerCache, SqliteAnswerCache, Close]:
            store = SqliteStore(tmp_path / f"{uuid.uuid4().hex}.sqlite", max_mb=16)
            cache = SqliteAnswerCache(store)
            return cache, cache, store.close

    run_state_machine_as_test(InSqlite, settings=FEW)
    assert InSqlite.hits > 5
