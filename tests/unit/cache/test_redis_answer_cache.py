"""A Redis that is away is logged without its password."""

import pytest

from cache.redis_answer_cache import RedisAnswerCache
from cache.redis_connection import RedisConnection
from contracts import AnswerKey


@pytest.mark.enable_socket
async def test_no_password_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    connection = RedisConnection("redis://someone:secret@127.0.0.1:9/0?password=secret", timeout_s=0.5)
    cache, key = RedisAnswerCache(connection, identity="one"), AnswerKey("default", "exact", "space")
    assert await cache.get(key) is None
    await cache.drop(key)
    await cache.close()
    await connection.close()
    assert "redis://127.0.0.1:9/0" in caplog.text
    assert "secret" not in caplog.text
