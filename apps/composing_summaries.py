"""Wires summaries of whole documents, and the registry that shows prompts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from apps.composing import open_prompts
from apps.settings import Settings, heeds_proxy
from apps.summarizing import Summarizing
from contracts import ChatModel, Chunk, GuardPolicies, PromptRegistry, PromptText, TokenCounter, Tracer


def open_summarizing(
    settings: Settings,
    policies: GuardPolicies,
    chunks: Callable[[str, str], Awaitable[tuple[Chunk, ...]]],
    model: ChatModel,
    counter: TokenCounter,
    tracer: Tracer,
) -> Summarizing:
    """Return what summarises documents, whose passages `chunks` returns by collection and id."""
    from serving.llamaindex_summarizer import LlamaIndexSummarizer
    from validation.personal_data.pii_placeholders import restore
    from validation.sentences import SentenceStream
    from validation.support.refusals import is_refusal

    summarizer = LlamaIndexSummarizer(model, counter, temperature=settings.serving.temperature)
    return Summarizing(
        policies=policies,
        chunks=chunks,
        summarizer=summarizer,
        sentences=SentenceStream,
        is_refusal=is_refusal,
        tracer=tracer,
        restore=restore,
        prompt_version=summarizer.version,
    )


def open_prompt_registry(settings: Settings) -> PromptRegistry:
    """Return MLflow's prompt registry."""
    from observability.mlflow_prompts import MlflowPromptRegistry

    return MlflowPromptRegistry(settings.mlflow_url, heeds_proxy=heeds_proxy(settings.mlflow_url))


def shown_prompts(settings: Settings) -> Mapping[str, PromptText]:
    """Return every prompt that is in use, by name."""
    from retrieval.questions.packaged_prompts import packaged_prompts
    from serving.llamaindex_summarizer import summary_prompts

    return {**packaged_prompts(), **summary_prompts(), **open_prompts(settings).texts}
