"""Prompts from template files, laid out for prefix caching: fixed text first, then sources, history, question."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from contracts import Hit, Message, Prompt, PromptText, Role
from serving.prefix_order import PrefixOrder
from serving.sentence_focus import focus
from serving.spotlighting import as_data, fenced, without_control

if TYPE_CHECKING:
    from langchain_core.prompts import ChatPromptTemplate

_FOLDER = Path(__file__).parent / "prompts"
_ROLES: dict[str, Role] = {"system": "system", "human": "user", "ai": "assistant"}
_EDITION = "2"  # of what is done in code: another one is another version of every prompt
_MARKERS = re.compile(r"(?:\s?\[\d{1,3}\])+")
_JSON = "json"


class LangChainPromptBuilder:
    """Port `PromptBuilder` on LangChain's chat templates; `name` picks the files in serving/prompts.

    The sources stand in the first user message and the history after them, although that parts them from the question:
    a follow-up mostly rests on the sources of the question before it, which the model server then has in its prefix
    cache, whatever was said meanwhile. They are no part of the system message, which models obey.

    With `focus_sentences` the model sees only that many sentences of the sources, without markers: what a small model
    can use. Its sentences are matched to the sources afterwards. An `order` puts whole passages so that prompts begin
    as earlier ones did; it has to hear which were `sent`.
    """

    def __init__(self, name: str = "grounded", *, focus_sentences: int = 0, order: PrefixOrder | None = None) -> None:
        self._order = None if focus_sentences else order  # sentences are chosen for the question: no two begin alike
        self._focus_sentences = focus_sentences
        self._json = _Layout(_JSON, str(focus_sentences))
        self._text = _Layout(name, self._json.version)  # one version stands for all that answers depend on

    @property
    def version(self) -> str:
        """Name and content hash of the templates, part of every cache key."""
        return self._text.version

    @property
    def texts(self) -> Mapping[str, PromptText]:
        """The templates by name."""
        return {layout.name: layout.text for layout in (self._text, self._json)}

    def build(
        self,
        question: str,
        sources: Sequence[Hit],
        history: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> Prompt:
        """Return the prompt with each source under its marker, 1-based; with a `schema`, one for JSON. A `system`
        message in the history is a summary of what was said before it."""
        layout = self._text if schema is None else self._json
        sources = self._order.arranged(sources) if self._order else tuple(sources)
        values = {
            "sources": self._shown(question, sources, history),
            "question": without_control(question),
            "schema": "" if schema is None else json.dumps(schema, ensure_ascii=False),
        }
        messages = layout.filled(values, [_turn(message) for message in history])
        return Prompt(messages, layout.version, sources, schema)

    def sent(self, prompt: Prompt) -> None:
        """Hear that the model was asked this."""
        if self._order:
            self._order.note(prompt.sources)

    def _shown(self, question: str, sources: Sequence[Hit], history: Sequence[Message]) -> str:
        if not self._focus_sentences:
            return "\n".join(fenced(marker, hit) for marker, hit in enumerate(sources, start=1))
        asked = " ".join([*(turn.content for turn in history if turn.role == "user"), question])
        return "\n".join(as_data(statement.text) for statement in focus(asked, sources, self._focus_sentences))


class _Parts(NamedTuple):
    system: str
    sources: str
    question: str


class _Layout:
    """The template files of one name, as one list of messages; `salt` goes into its version."""

    def __init__(self, name: str, salt: str) -> None:
        self.name = name
        self._parts = _Parts(*(_read(name, part) for part in ("system", "sources", "question")))
        content = "\0".join((*self._parts, salt, _EDITION))
        self.version = f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
        self._template: ChatPromptTemplate | None = None

    @property
    def text(self) -> PromptText:
        asked = f"{self._parts.sources}\n\n{self._parts.question}"
        return PromptText(self.version, (Message("system", self._parts.system), Message("user", asked)))

    def filled(self, values: Mapping[str, str], history: Sequence[tuple[Role, str]]) -> tuple[Message, ...]:
        """Return the messages; neighbours of one role are one message, as many chat templates insist."""
        from langchain_core.messages import merge_message_runs

        template = self._template or self._chat_template()
        filled = template.format_messages(history=list(history), **values)
        return tuple(
            Message(_ROLES[message.type], message.text)
            for message in merge_message_runs(filled, chunk_separator="\n\n")
        )

    def _chat_template(self) -> ChatPromptTemplate:
        from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

        parts = self._parts
        self._template = ChatPromptTemplate.from_messages(
            [
                ("system", parts.system),
                ("human", parts.sources),
                MessagesPlaceholder("history"),
                ("human", parts.question),
            ]
        )
        return self._template


def _turn(message: Message) -> tuple[Role, str]:
    """Return a message of the history as the model is shown it: its markers meant sources that it does not see now."""
    text = without_control(message.content)
    if message.role == "assistant":
        return ("assistant", _MARKERS.sub("", text))
    label = "Question" if message.role == "user" else "Said before, in short"
    return ("user", f"{label}: {text}")


def _read(name: str, part: str) -> str:
    return (_FOLDER / f"{name}.{part}.txt").read_text(encoding="utf-8").strip()
