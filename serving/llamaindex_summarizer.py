"""Documents longer than the model's window, read by several calls that LlamaIndex arranges: a tree of summaries, or an
answer that is refined part by part."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import math
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts import ChatModel, InvalidInputError, Message, PromptText, Token, TokenCounter, Usage, most_tokens
from serving.llamaindex_calls import CallLimits, ModelCalls, TooLongError, llama_index_llm
from serving.spotlighting import as_data

_FOLDER = Path(__file__).parent / "prompts"
_TASK = "Summarise what this part of the document says."
_SAMPLES, _SAMPLE_BYTES = 6, 8000
_MARGIN = 1.1  # on the tokens per byte that samples have
_BYTES_PER_TOKEN = 5  # of what a model writes, about; more of it is cut where it goes into another call
_AT_LEAST = 2.5  # summaries must fit one call, so that a tree gets narrower


class LlamaIndexSummarizer:
    """Port `Summarizer` on LlamaIndex's TreeSummarize and, for a question, Refine. Nothing of LlamaIndex's global
    settings is used: model, window and tokenizer are ours.

    It counts by tokens per byte, measured on samples of the texts, because LlamaIndex counts thousands of times; each
    prompt is counted before it is sent, and where one does not fit all of it is packed more loosely.
    """

    def __init__(
        self,
        model: ChatModel,
        counter: TokenCounter,
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        concurrent: int = 4,
    ) -> None:
        self._model = model
        self._counter = counter
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._concurrent = concurrent
        self._files = _files()
        self._version = _version(self._files)

    @property
    def version(self) -> str:
        """Name and content hash of the templates."""
        return self._version

    async def summarize(self, texts: Sequence[str], question: str = "") -> AsyncGenerator[Token]:
        """Yield a summary of the texts, in reading order, piece by piece, or with a question what they say about it.
        The last piece carries the usage of all calls.

        Raises ModelUnavailableError, and InvalidInputError when the question is too long for the model's window.
        """
        text = "\n\n".join(as_data(text.strip()) for text in texts if text.strip())
        if not text:
            yield Token("", Usage())
            return
        await self._model.prepare()
        window, density = await self._counter.window(), await self._density(text.encode())
        while True:
            limits = self._limits(window, density)
            calls = ModelCalls(self._model, self._counter, self._files["system"], self._version, limits)
            try:
                async for piece in await self._pieces(calls, limits, density, text, as_data(question)):
                    yield Token(piece)
                yield Token("", calls.usage, calls.cut_off, calls.model)
                return
            except TooLongError as exc:
                if density == 1:  # no text has more tokens than bytes, so it is not for want of packing loosely
                    raise _question_too_long(window) from exc
                density = min(1.0, density * 1.5)
            finally:
                await calls.stop()

    async def _density(self, text: bytes) -> float:
        """Return how many tokens a byte of the text is, at most 1, by samples all over it."""
        step = max(_SAMPLE_BYTES, len(text) // _SAMPLES)
        samples = [
            text[at : at + _SAMPLE_BYTES].decode(errors="ignore") for at in range(0, len(text), step) if text[at:]
        ][:_SAMPLES]
        counts = await asyncio.gather(*(self._counter.count([Message("user", sample)]) for sample in samples))
        shares = [count / max(1, len(sample.encode())) for count, sample in zip(counts, samples, strict=True)]
        return min(1.0, max(shares[:-1] or shares) * _MARGIN)

    def _limits(self, window: int, density: float) -> CallLimits:
        usable = window - most_tokens([Message("system", self._files["system"]), Message("user", "")])
        per_token = _BYTES_PER_TOKEN * density
        max_tokens = max(1, min(self._max_tokens, int(usable / (1 + _AT_LEAST * per_token))))
        return CallLimits(
            room=window - max_tokens,
            max_tokens=max_tokens,
            kept_bytes=max_tokens * _BYTES_PER_TOKEN,
            concurrent=self._concurrent,
            temperature=self._temperature,
        )

    async def _pieces(
        self, calls: ModelCalls, limits: CallLimits, density: float, text: str, question: str
    ) -> AsyncGenerator[str]:
        await asyncio.to_thread(importlib.import_module, "llama_index.core.response_synthesizers")  # it takes seconds
        system = most_tokens([Message("system", self._files["system"]), Message("user", "")])
        window = limits.room + limits.max_tokens - system

        def tokens(piece: str) -> range:
            return range(math.ceil(len(piece.encode()) * density))

        llm = llama_index_llm(calls, window=window, max_tokens=limits.max_tokens)
        # LlamaIndex leaves room for the answer so far, and none for the question before it is in the prompt.
        padding = len(tokens(" " * limits.kept_bytes + question)) if question else None
        synthesizer = _synthesizer(self._files, llm, tokens, window, limits.max_tokens, padding)
        try:
            pieces: AsyncGenerator[str] = await synthesizer.aget_response(question or _TASK, [text])
        except ValueError as exc:  # what the question leaves of the window is not positive
            raise _question_too_long(limits.room + limits.max_tokens) from exc
        return pieces


def summary_prompts() -> Mapping[str, PromptText]:
    """Return the templates by name."""
    files = _files()
    parts = {"summary": "whole", "document_answer": "answer", "document_refine": "refine"}
    return {
        name: PromptText(_version(files), (Message("system", files["system"]), Message("user", files[part])))
        for name, part in parts.items()
    }


def _files() -> dict[str, str]:
    names = ("system", "whole", "answer", "refine")
    return {name: (_FOLDER / f"summary.{name}.txt").read_text(encoding="utf-8").strip() for name in names}


def _version(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256("\0".join((*files.values(), _TASK)).encode()).hexdigest()
    return f"summary-{digest[:12]}"


def _question_too_long(window: int) -> InvalidInputError:
    return InvalidInputError(
        f"The question is too long: the model's window of {window} tokens holds no part of the document beside it. "
        "Ask it in fewer words."
    )


def _synthesizer(
    files: Mapping[str, str],
    llm: Any,
    tokens: Callable[[str], range],
    window: int,
    max_tokens: int,
    padding: int | None,
) -> Any:
    """Return what arranges the calls: a tree, or with a `padding` a chain that refines an answer.

    All that it would take from LlamaIndex's settings is given: they would load OpenAI's model, and a tokenizer over
    the network."""
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.indices.prompt_helper import ChatPromptHelper, PromptHelper
    from llama_index.core.prompts import PromptTemplate
    from llama_index.core.response_synthesizers import Refine, TreeSummarize

    sizes = {"context_window": window, "num_output": max_tokens, "chunk_overlap_ratio": 0.0}
    given = {
        "llm": llm,
        "callback_manager": CallbackManager([]),
        "prompt_helper": PromptHelper(tokenizer=tokens, **sizes),
        "chat_prompt_helper": ChatPromptHelper(tokenizer=tokens, **sizes),
        "streaming": True,
    }
    if padding is None:
        return TreeSummarize(summary_template=PromptTemplate(files["whole"]), use_async=True, **given)
    answer, refine = PromptTemplate(files["answer"]), PromptTemplate(files["refine"])
    return Refine(text_qa_template=answer, refine_template=refine, response_padding_size=padding, **given)
