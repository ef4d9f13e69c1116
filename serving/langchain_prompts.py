"""Prompts from template files, laid out for prefix caching: fixed text first, then sources, history, question."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contracts import Hit, Message, Prompt, Role
from serving.sentence_focus import focus

if TYPE_CHECKING:
    from langchain_core.prompts import ChatPromptTemplate

_FOLDER = Path(__file__).parent / "prompts"
_ROLES: dict[str, Role] = {"system": "system", "human": "user", "ai": "assistant"}


class LangChainPromptBuilder:
    """Port `PromptBuilder` on LangChain's chat templates; `name` picks the files in serving/prompts.

    With `focus_sentences` the model sees only that many sentences of the sources, without markers: what a small model
    can use. Its sentences are matched to the sources afterwards.
    """

    def __init__(self, name: str = "grounded", *, focus_sentences: int = 0) -> None:
        self._focus_sentences = focus_sentences
        self._system = (_FOLDER / f"{name}.system.txt").read_text(encoding="utf-8").strip()
        self._user = (_FOLDER / f"{name}.user.txt").read_text(encoding="utf-8").strip()
        digest = hashlib.sha256(f"{self._system}\0{self._user}\0{focus_sentences}".encode()).hexdigest()
        self._version = f"{name}-{digest[:12]}"
        self._template: ChatPromptTemplate | None = None

    @property
    def version(self) -> str:
        """Name and content hash of the template, part of every cache key."""
        return self._version

    def build(self, question: str, sources: Sequence[Hit], history: Sequence[Message]) -> Prompt:
        """Return the prompt with each source under its marker, 1-based."""
        shown = self._shown(question, sources, history)
        filled = self._chat_template().format_messages(
            sources=shown, question=question, history=[(turn.role, turn.content) for turn in history]
        )
        messages = tuple(Message(_ROLES[message.type], message.text) for message in filled)
        return Prompt(messages, self._version, tuple(sources))

    def _shown(self, question: str, sources: Sequence[Hit], history: Sequence[Message]) -> str:
        if not self._focus_sentences:
            return "\n\n".join(_source(marker, hit) for marker, hit in enumerate(sources, start=1))
        asked = " ".join([*(turn.content for turn in history if turn.role == "user"), question])
        return "\n".join(statement.text for statement in focus(asked, sources, self._focus_sentences))

    def _chat_template(self) -> ChatPromptTemplate:
        if self._template is None:
            from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

            self._template = ChatPromptTemplate.from_messages(
                [("system", self._system), MessagesPlaceholder("history"), ("human", self._user)]
            )
        return self._template


def _source(marker: int, hit: Hit) -> str:
    heading = " > ".join((hit.document.title, *hit.chunk.headings))
    return f"[{marker}] {heading}\n{hit.chunk.text}"
