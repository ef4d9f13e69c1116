"""A query in other words, by the language model: paraphrases of it, or a passage that might answer it.

Both are options. Measured with a model of 1.5 billion parameters they change little; see
tests/benchmarks/bench_query_understanding.py.
"""

from __future__ import annotations

import hashlib
import re

from contracts import ChatModel, Rewording, Wording
from retrieval.questions.asking import ask, packaged_prompt

_TOKENS_PER_TEXT = 32
_PASSAGE_TOKENS = 96
_LEAST_PASSAGE_CHARS = 20
_MOST_TEXT_CHARS = 300
_TEXTS_WEIGHT = 0.3  # of all together, against 1 of the query; measured with more they draw the search away
_PASSAGES_WEIGHT = 1.0
_BULLET = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.):])\s+")
_LABEL = re.compile(r"^\s*(?:search|query|passage|answer|document)\s*:\s*", re.IGNORECASE)
_QUOTES = " \t\"'“”«»„`"


class MultiQuery:
    """Port `Rephraser`: the query in `count` other ways. `prompt` holds {query} and {count}."""

    def __init__(
        self, model: ChatModel, *, count: int = 3, prompt: str | None = None, deadline_s: float = 10.0
    ) -> None:
        self._model = model
        self._count = count
        self._prompt = prompt or packaged_prompt("multi_query")
        self._deadline_s = deadline_s

    @property
    def name(self) -> str:
        """What shapes the rewordings, part of every cache key."""
        return f"multi-query {self._count} {self._model.name} {_digest(self._prompt)}"

    async def reword(self, query: str) -> Rewording:
        """Return other ways to say it; nothing when the model is away."""
        prompt = self._prompt.replace("{count}", str(self._count)).replace("{query}", _line(query))
        tokens = _TOKENS_PER_TEXT * self._count
        said = await ask(self._model, prompt, max_tokens=tokens, deadline_s=self._deadline_s)
        return Rewording(texts=_distinct(said, query)[: self._count])


class Hyde:
    """Port `Rephraser`: a passage that might answer the query, whose vector is nearer to real ones (Gao et al. 2022,
    arXiv:2212.10496). `prompt` holds {query}."""

    def __init__(self, model: ChatModel, *, prompt: str | None = None, deadline_s: float = 15.0) -> None:
        self._model = model
        self._prompt = prompt or packaged_prompt("hyde")
        self._deadline_s = deadline_s

    @property
    def name(self) -> str:
        """What shapes the rewordings, part of every cache key."""
        return f"hyde {self._model.name} {_digest(self._prompt)}"

    async def reword(self, query: str) -> Rewording:
        """Return one passage; nothing when the model is away or says too little."""
        prompt = self._prompt.replace("{query}", _line(query))
        said = await ask(self._model, prompt, max_tokens=_PASSAGE_TOKENS, deadline_s=self._deadline_s)
        passage = _cleaned(_line(said))
        is_one = len(passage) >= _LEAST_PASSAGE_CHARS and _plain(passage) != _plain(query)
        return Rewording(passages=(passage,) if is_one else ())


def weighted(rewording: Rewording) -> tuple[Wording, ...]:
    """Return what the query's vector is to be blended with, each with its weight."""
    texts, passages = rewording.texts, rewording.passages
    return (
        *(Wording(text, _TEXTS_WEIGHT / len(texts)) for text in texts),
        *(Wording(text, _PASSAGES_WEIGHT / len(passages)) for text in passages),
    )


def _distinct(said: str, query: str) -> tuple[str, ...]:
    """Return the lines without numbers, quotes and whatever is the query, or a line before, again."""
    seen, kept = {_plain(query), ""}, []
    for line in map(_cleaned, said.splitlines()):
        if _plain(line) not in seen and len(line) <= _MOST_TEXT_CHARS:
            seen.add(_plain(line))
            kept.append(line)
    return tuple(kept)


def _cleaned(line: str) -> str:
    return _LABEL.sub("", _BULLET.sub("", line)).strip(_QUOTES)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _line(text: str) -> str:
    return " ".join(text.split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
