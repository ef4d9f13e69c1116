"""bm25s and rank_bm25, in an environment of their own: ``python sparse_peers.py PEER FILE``, where FILE holds a JSON
object with texts and queries. Prints, as JSON, the seconds to index, those of each query, and those to add a text."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

Search = Callable[[str], object]


def bm25s(texts: list[str]) -> Search:
    import bm25s as library
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    tokens = library.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)
    retriever = library.BM25(backend="numba")
    retriever.index(tokens, show_progress=False)

    def search(query: str) -> object:
        asked = library.tokenize([query], stopwords="en", stemmer=stemmer, show_progress=False)
        return retriever.retrieve(asked, k=10, show_progress=False, n_threads=1)

    return search


def rank_bm25(texts: list[str]) -> Search:
    import numpy as np
    import rank_bm25 as library

    index = library.BM25Okapi([re.findall(r"\w+", text.lower()) for text in texts])

    def search(query: str) -> object:
        return np.argsort(-index.get_scores(re.findall(r"\w+", query.lower())))[:10]

    return search


def main(peer: str, file: str) -> None:
    material = json.loads(Path(file).read_text(encoding="utf-8"))
    start = time.perf_counter()
    search = {"bm25s": bm25s, "rank_bm25": rank_bm25}[peer](material["texts"])
    indexed = time.perf_counter() - start
    search(material["queries"][0])
    seconds = []
    for query in material["queries"][: 20 if peer == "rank_bm25" else None]:
        start = time.perf_counter()
        search(query)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"indexed": indexed, "queries": seconds, "added": indexed}))  # both are made anew for one text


if __name__ == "__main__":
    main(*sys.argv[1:])
