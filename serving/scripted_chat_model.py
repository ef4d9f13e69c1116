"""A chat model that says what it was told to: for tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from contracts import Prompt, Token, Usage


class ScriptedChatModel:
    """Port `ChatModel`: `reply` maps a prompt to the whole answer, which is streamed word by word; a Token says by
    which model, and which calls of tools end it. It keeps the prompts it was given in `prompts`, newest last."""

    def __init__(self, reply: Callable[[Prompt], str | Token], name: str = "scripted") -> None:
        self._reply = reply
        self._name = name
        self.prompts: list[Prompt] = []

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    async def prepare(self) -> None:
        """Do nothing: the name is known."""

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield the scripted text word by word, then the usage."""
        self.prompts.append(prompt)
        reply = self._reply(prompt)
        said = reply if isinstance(reply, Token) else Token(reply)
        words = said.text.split(" ")[:max_tokens]
        for position, word in enumerate(words):
            yield Token(word if position == 0 else f" {word}")
        usage = Usage(sum(len(message.content.split()) for message in prompt.messages), len(words))
        yield Token("", usage, len(words) == max_tokens, said.model, said.tool_calls)
