"""The embedded Redis, for real."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from redis.asyncio import Redis

from apps.supervisor import Supervisor
from cache.redis_server import answers_ping, redis_service

pytestmark = pytest.mark.integration


@pytest.fixture
def socket_path() -> Path:
    return Path(mkdtemp(prefix="footnote-test-")) / "private" / "redis.sock"


@pytest.fixture
async def redis(socket_path: Path, tmp_path: Path) -> AsyncIterator[Redis]:
    supervisor = Supervisor(tmp_path)
    service = redis_service(socket_path, max_memory_mb=8)
    await supervisor.until_ready(service, await supervisor.start(service))
    client = Redis.from_url(service.url)
    yield client
    await client.aclose()
    await supervisor.stop()


async def test_listens_on_its_private_socket_only(redis: Redis, socket_path: Path) -> None:
    assert (await redis.config_get("port"))["port"] == "0"
    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket_path.parent.stat().st_mode) == 0o700
    assert answers_ping(socket_path)


async def test_has_vector_sets_and_loads_no_module(redis: Redis) -> None:
    await redis.execute_command("VADD", "v", "VALUES", 2, 1.0, 0.0, "a")
    assert await redis.execute_command("VSIM", "v", "VALUES", 2, 1.0, 0.1) == [b"a"]
    assert "falkor" not in str(await redis.module_list()).lower()


async def test_evicts_instead_of_growing_and_writes_no_file(redis: Redis, socket_path: Path) -> None:
    for number in range(400):
        await redis.set(f"key:{number}", b"x" * 50_000)
    memory = await redis.info("memory")
    assert memory["used_memory"] <= 9 << 20
    assert (await redis.info("stats"))["evicted_keys"] > 0
    assert [path.name for path in socket_path.parent.iterdir()] == ["redis.sock"]


async def test_nobody_answers_where_none_runs(socket_path: Path) -> None:
    assert not answers_ping(socket_path)
