"""A prompt that fits the model's window: what is least needed is left out, as little of it as possible."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.request_options import answer_tokens, completed, counted
from contracts import (
    ConfigurationError,
    Hit,
    InvalidInputError,
    Message,
    Prompt,
    PromptBuilder,
    TokenCounter,
    most_tokens,
)

# Where a source may end when it is shortened: after a sentence, or after a line such as a table's row.
_BOUNDARY = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？]|(?=\n)")

_Content = tuple[tuple[Hit, ...], tuple[Message, ...]]  # the sources and the history of a prompt


async def fitted_prompt(
    builder: PromptBuilder,
    counter: TokenCounter,
    question: str,
    sources: Sequence[Hit],
    history: Sequence[Message],
    *,
    max_tokens: int,
    schema: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Prompt:
    """Return the prompt, with its `options`, and with room for an answer of `max_tokens` in the model's window.

    Where all of it does not fit, the oldest turns of the history are left out first, a leading summary last, then the
    last sources; the one source that remains is cut after a sentence. The prompt's `sources` are those shown.

    Raises InvalidInputError when the question leaves no room for a source, ConfigurationError when the answer leaves
    none for anything, and ModelUnavailableError.
    """
    window = await counter.window()
    room = window - max_tokens
    if room <= 0 and answer_tokens(options or {}, 0):
        raise InvalidInputError(f"An answer of {max_tokens} tokens does not fit the model's window of {window}.")
    if room <= 0:
        raise ConfigurationError(
            f"An answer of {max_tokens} tokens does not fit the model's window of {window}: "
            "lower FOOTNOTE_SERVING__MAX_TOKENS, or raise FOOTNOTE_SERVING__CONTEXT_TOKENS."
        )
    fitting = _Fitting(builder, counter, question, room, schema, options or {})
    prompt = await fitting.largest(_with_less(tuple(sources), tuple(history)))
    if prompt is None and sources:
        prompt = await fitting.largest([((source,), ()) for source in _shortened(sources[0])])
    if prompt is not None:
        return prompt
    bare = await counter.count(counted(fitting.laid_out(((), ()))))
    raise InvalidInputError(
        f"The question is too long: with the instructions it takes {bare} tokens, and the model's window of {window} "
        f"holds {room} beside an answer of {max_tokens}, so that no source fits. Ask it in fewer words."
    )


@dataclass(frozen=True, slots=True)
class _Fitting:
    """One question, and how many tokens its prompt may have."""

    builder: PromptBuilder
    counter: TokenCounter
    question: str
    room: int
    schema: Mapping[str, Any] | None
    options: Mapping[str, Any]

    def laid_out(self, content: _Content) -> Prompt:
        """Return the prompt of a content, whether or not it fits."""
        sources, history = content
        return completed(self.builder.build(self.question, sources, history, schema=self.schema), self.options)

    async def largest(self, contents: Sequence[_Content]) -> Prompt | None:
        """Return the prompt of the first content that fits, of contents that get smaller; None when none does. All of
        it is tried first, then it is searched by halves."""
        if not contents:
            return None
        found = await self._fitted(contents[0])
        low, high = (1, len(contents)) if found is None else (0, 0)
        while low < high:
            middle = (low + high) // 2
            fitted = await self._fitted(contents[middle])
            if fitted is None:
                low = middle + 1
            else:
                found, high = fitted, middle
        return found

    async def _fitted(self, content: _Content) -> Prompt | None:
        prompt = self.laid_out(content)
        read = counted(prompt)
        fits = most_tokens(read) <= self.room or await self.counter.count(read) <= self.room
        return prompt if fits else None


def _with_less(sources: tuple[Hit, ...], history: tuple[Message, ...]) -> list[_Content]:
    """Return the contents of ever smaller prompts: all of it first, then without more and more of the history, then
    with fewer sources too, down to one."""
    return [
        *((sources, rest) for rest in _histories(history)),
        *((sources[:count], ()) for count in range(len(sources) - 1, 0, -1)),
    ]


def _histories(history: tuple[Message, ...]) -> list[tuple[Message, ...]]:
    """Return the history without more and more of its oldest turns, and at last without its summary."""
    summary = history[:1] if history and history[0].role == "system" else ()
    turns = history[len(summary) :]
    starts = [position for position, message in enumerate(turns) if message.role == "user"]
    kept = [turns, *(turns[start:] for start in starts if start), ()]
    return list(dict.fromkeys([*((*summary, *rest) for rest in kept), ()]))


def _shortened(source: Hit) -> list[Hit]:
    """Return the source with ever fewer of its sentences, down to the first."""
    text = source.chunk.text
    ends = sorted({match.end() for match in _BOUNDARY.finditer(text)} - {0, len(text)}, reverse=True)
    return [_cut(source, end) for end in ends]


def _cut(source: Hit, end: int) -> Hit:
    chunk = source.chunk
    start, stop = chunk.span
    span = (start, start + end) if stop - start == len(chunk.text) else chunk.span  # a table's head may be repeated
    return replace(source, chunk=replace(chunk, text=chunk.text[:end], span=span))
