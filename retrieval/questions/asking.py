"""A short question to the chat model, which may be away, slow or talk nonsense: then all goes on without it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path

from contracts import ChatModel, Message, ModelUnavailableError, Prompt

_FOLDER = Path(__file__).parent / "prompts"
_log = logging.getLogger(__name__)


def packaged_prompt(name: str) -> str:
    """Return the prompt of this name that comes with Footnote."""
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip()


async def ask(model: ChatModel, text: str, *, max_tokens: int, deadline_s: float, temperature: float = 0.0) -> str:
    """Return what the model says to `text`; nothing when it is away, says nothing or needs more than `deadline_s`."""
    prompt = Prompt((Message("user", text),), "", ())
    said: list[str] = []
    try:
        async with asyncio.timeout(deadline_s):
            await model.prepare()
            stream = model.stream(prompt, max_tokens=max_tokens, temperature=temperature)
            async with aclosing(stream):
                async for token in stream:
                    said.append(token.text)
    except ModelUnavailableError as exc:
        _log.warning("going on without the language model: %s", exc)
        return ""
    except TimeoutError:
        _log.warning("going on without the language model, which needed more than %g s", deadline_s)
        return ""
    return "".join(said).strip()
