"""A Redis that is away is logged without its password."""

import pytest

from cache.redis_answer_cache import RedisAnswerCache


@pytest.mark.enable_socket
async def test_no_password_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    cache = RedisAnswerCache("redis://someone:secret@127.0.0.1:9/0?password=secret", ttl_s=60, timeout_s=0.5)
    assert await cache.get("key") is None
    await cache.drop("key")
    await cache.close()
    assert "redis://127.0.0.1:9/0" in caplog.text
    assert "secret" not in caplog.text
