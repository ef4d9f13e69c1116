"""Summaries of conversations by the language model, and by the rule when it is away, slow or talks nonsense."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts import ChatModel, Message
from retrieval.questions.asking import ask, packaged_prompt
from retrieval.questions.summarising import MOST_CHARS, Summariser, newest, sentences

_SENTENCES = 8
_MAX_TOKENS = 320
_SHOWN = 12  # messages; those before them go in by the rule
_MESSAGE_CHARS = 400  # of each
_LEAST_KNOWN = 0.6  # of the words, as for questions put anew; an invention has others
_LEAST_TURNS = 0.5  # of the turns must have left a word of theirs in the summary
_TELLING = 4  # letters; shorter words say little of what they are about
_LABEL = re.compile(r"^\s*(?:(?:new|old)?\s*(?:notes|summary)\s*:)?\s*", re.IGNORECASE)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+|\d+")
_OURS = frozenset({"user", "users", "assistant", "asked", "asks", "answered", "answer", "found", "was", "were", "not"})


class LlmSummariser:
    """Port `Summariser` over a chat model. `prompt` holds {summary}, {conversation} and {count}; by default the one
    that comes with Footnote. `fallback` is asked where the model says nothing of use within `deadline_s`.

    Example: ``LlmSummariser(model, fallback=RuleSummariser())``
    """

    def __init__(
        self, model: ChatModel, *, fallback: Summariser, prompt: str | None = None, deadline_s: float = 60.0
    ) -> None:
        self._model = model
        self._fallback = fallback
        self._prompt = prompt or packaged_prompt("summarise")
        self._deadline_s = deadline_s

    async def summarise(self, summary: str, messages: Sequence[Message]) -> str:
        """Return the summary with what these messages add to it, up to MOST_CHARS characters."""
        before, shown = messages[:-_SHOWN], messages[-_SHOWN:]
        if before:
            summary = await self._fallback.summarise(summary, before)
        prompt = (
            self._prompt.replace("{count}", str(_SENTENCES))
            .replace("{summary}", _line(summary) or "none")
            .replace("{conversation}", "\n".join(map(_shown, shown)))
        )
        said = await ask(self._model, prompt, max_tokens=_MAX_TOKENS, deadline_s=self._deadline_s)
        written = _cleaned(said)
        return written if _is_sound(written, summary, shown) else await self._fallback.summarise(summary, shown)


def _shown(message: Message) -> str:
    return f"{'User' if message.role == 'user' else 'Assistant'}: {_line(message.content)[:_MESSAGE_CHARS]}"


def _cleaned(said: str) -> str:
    """Return the first paragraph without its label, sentences that are not whole or come again."""
    paragraph = _LABEL.sub("", said).split("\n\n")[0]
    found = list(dict.fromkeys(sentences(paragraph)))
    while found and not found[-1].endswith((".", "!", "?", "…", "。", "！", "？")):
        found.pop()
    return newest(" ".join(found[:_SENTENCES]))


def _is_sound(written: str, summary: str, messages: Sequence[Message]) -> bool:
    """Return whether this may be the summary: made of words of the old one and of the conversation, with no number that
    was not said, and not silent on most of the turns."""
    words = _words(written)
    if not words or len(written) > MOST_CHARS:
        return False
    known = {*_words(summary), *_OURS, *(word for message in messages for word in _words(message.content))}
    if any(word.isdigit() and word not in known for word in words):
        return False
    if sum(word in known for word in words) < _LEAST_KNOWN * len(words):
        return False
    new = [telling for turn in _turns(messages) if (telling := _telling(turn) - _telling(summary))]
    return sum(not telling.isdisjoint(words) for telling in new) >= _LEAST_TURNS * len(new)


def _turns(messages: Sequence[Message]) -> list[str]:
    """Return the text of each question with its answer."""
    turns: list[str] = []
    for message in messages:
        if message.role == "user" or not turns:
            turns.append("")
        turns[-1] += f"{message.content}\n"
    return turns


def _telling(text: str) -> set[str]:
    return {word for word in _words(text) if len(word) >= _TELLING or word.isdigit() or "\u3040" <= word[0] <= "\u9fff"}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _line(text: str) -> str:
    return " ".join(text.split())
