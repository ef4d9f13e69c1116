"""Follow-ups put anew by the language model, and by the rule when it is away, slow or talks nonsense."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts import ChatModel, Condenser, Message
from retrieval.questions.asking import ask, packaged_prompt

_TURNS = 6  # messages of the conversation that are shown
_ANSWER_CHARS = 200  # of each answer; what a question leans on is mostly said at the start
_SUMMARY_CHARS = 600  # of the summary, its end: the newest is said last
_MAX_TOKENS = 64
_MOST_WORDS = 40
_LEAST_SHARED = 0.6  # of the words, with question and conversation; an answer or an invention has others
_LABEL = re.compile(
    r"^\s*(?:(?:rewritten|standalone|last)?\s*(?:question|query)?\s*:)?\s*[\"'“«]?|[\"'”»]?\s*$", re.IGNORECASE
)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+|\d+")


class LlmCondenser:
    """Port `Condenser` over a chat model. A system message at the start of the conversation is the summary of what came
    before. `prompt` holds {conversation} and {question}; by default the one that comes
    with Footnote. `fallback` is asked where the model says nothing of use within `deadline_s`.

    Example: ``LlmCondenser(model, fallback=FollowupCondenser())``
    """

    def __init__(
        self, model: ChatModel, *, fallback: Condenser, prompt: str | None = None, deadline_s: float = 10.0
    ) -> None:
        self._model = model
        self._fallback = fallback
        self._prompt = prompt or packaged_prompt("condense")
        self._deadline_s = deadline_s

    async def condense(self, question: str, history: Sequence[Message]) -> str:
        """Return the question itself when nothing was said before or the model finds it complete, else one that carries
        what it refers to."""
        if not any(message.role in ("user", "system") for message in history):
            return question
        prompt = self._prompt.replace("{conversation}", _shown(history)).replace("{question}", _line(question))
        said = await ask(self._model, prompt, max_tokens=_MAX_TOKENS, deadline_s=self._deadline_s)
        condensed = _LABEL.sub("", next((line for line in said.splitlines() if line.strip()), ""))
        if _is_sound(condensed, question, history):
            return question if _words(condensed) == _words(question) else condensed
        return await self._fallback.condense(question, history)


def _shown(history: Sequence[Message]) -> str:
    lines = []
    if history[0].role == "system":
        lines.append(f"Earlier: {_end(_line(history[0].content))}")
    for message in history[-_TURNS:]:
        if message.role == "user":
            lines.append(f"User: {_line(message.content)}")
        elif message.role == "assistant":
            lines.append(f"Assistant: {_line(message.content)[:_ANSWER_CHARS]}")
    return "\n".join(lines)


def _end(text: str) -> str:
    end = text[-_SUMMARY_CHARS:]
    return end if len(end) == len(text) else f"…{end.partition(' ')[2] or end}"


def _is_sound(condensed: str, question: str, history: Sequence[Message]) -> bool:
    """Return whether this may be the question put anew: made of the conversation's words, with some of the question's,
    neither long nor a question of before."""
    words, asked = _words(condensed), _words(question)
    if not words or len(words) > max(_MOST_WORDS, 2 * len(asked)):
        return False
    if question.rstrip().endswith(("?", "？", "؟")) and not condensed.rstrip().endswith(("?", "？", "؟")):
        return False
    if any(words == _words(message.content) for message in history) and words != asked:
        return False
    known = {*asked, *(word for message in history for word in _words(message.content))}
    return not {*words}.isdisjoint(asked) and sum(word in known for word in words) >= _LEAST_SHARED * len(words)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _line(text: str) -> str:
    return " ".join(text.split())
