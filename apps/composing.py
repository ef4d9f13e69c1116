"""Wires answers: the guards of each collection, the prompts, and who writes."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from apps.prompting import fitted_prompt
from apps.request_options import answer_tokens, asked_schema
from apps.settings import Settings, heeds_proxy
from apps.turn import Turn
from apps.writing import Quoted, Writing, WritingLimits
from contracts import ChatModel, GuardPolicies, Hit, Prompt, TokenCounter, Vectors

if TYPE_CHECKING:
    from serving.aiohttp_pass_through import AiohttpPassThrough
    from serving.bounded_token_counter import BoundedTokenCounter
    from serving.langchain_prompts import LangChainPromptBuilder
    from serving.model_servers import ModelServer
    from serving.vllm_token_counter import VllmTokenCounter

Encode = Callable[[Sequence[str]], Awaitable[Vectors]]
_QUOTES = 3  # sentences of an answer that is made of quotes, at most


def open_policies(settings: Settings, encode: Encode) -> GuardPolicies:
    """Return the guards of each collection, by its policy files. `encode` is the packaged sentence encoder, which the
    classifiers were trained with. Guardrails is imported when guards are first asked for."""
    from validation.guardrails.guardrails_policies import GuardrailsPolicies

    return GuardrailsPolicies(settings.policies_dir, encode=encode)


def open_prompts(settings: Settings) -> LangChainPromptBuilder:
    """Return what lays out prompts: few sentences for a small model, whole passages for others."""
    from serving.langchain_prompts import LangChainPromptBuilder
    from serving.prefix_order import PrefixOrder

    name = "brief" if settings.focus_sentences else "grounded"
    order = PrefixOrder() if settings.serving.prefix_reuse else None
    return LangChainPromptBuilder(name, focus_sentences=settings.focus_sentences, order=order)


def open_token_counter(settings: Settings) -> VllmTokenCounter | BoundedTokenCounter:
    """Return what counts tokens as the model server does, or a bound where its protocol has no such thing."""
    from serving.bounded_token_counter import BoundedTokenCounter
    from serving.vllm_token_counter import VllmTokenCounter

    if settings.serving.protocol == "anthropic":
        return BoundedTokenCounter(settings.serving.context_tokens)
    return VllmTokenCounter(
        settings.model_name,
        base_url=settings.model_url,
        context_tokens=settings.serving.context_tokens,
        api_key=settings.serving.api_key.get_secret_value(),
        heeds_proxy=heeds_proxy(settings.model_url),
        when_away="bound" if settings.serving.fallbacks else "raise",
    )


def model_servers(settings: Settings) -> tuple[ModelServer, ...]:
    """Return where language models are served, in the order in which they are asked."""
    from serving.model_servers import ModelServer

    serving = settings.serving
    others = [(fallback.model, fallback.base_url, fallback) for fallback in serving.fallbacks]
    return tuple(
        ModelServer(
            model,
            url,
            api_key=told.api_key.get_secret_value(),
            protocol=told.protocol,
            connect_s=told.connect_s,
            timeout_s=told.timeout_s,
            stall_s=told.stall_s,
            failures=serving.breaker_failures,
            rest_s=serving.breaker_rest_s,
            heeds_proxy=heeds_proxy(url),
        )
        for model, url, told in [(settings.model_name, settings.model_url, serving), *others]
    )


def open_pass_through(settings: Settings, model: ChatModel) -> AiohttpPassThrough:
    """Return what hands requests on to the model servers; `model` knows the name that only its server knows."""
    from serving.aiohttp_pass_through import AiohttpPassThrough

    return AiohttpPassThrough(model_servers(settings), lambda: model.name)


def open_writing(
    settings: Settings, model: ChatModel, prompts: LangChainPromptBuilder, counter: TokenCounter, encode: Encode
) -> Writing:
    """Return what writes drafts. `encode` helps to choose what is quoted."""
    from validation.sentences import SentenceStream
    from validation.support.refusals import is_refusal

    serving = settings.serving

    async def lay_out(turn: Turn, sources: Sequence[Hit]) -> Prompt:
        options = turn.question.options
        prompt = await fitted_prompt(
            prompts,
            counter,
            turn.text,
            sources,
            turn.history,
            max_tokens=answer_tokens(options, serving.max_tokens),
            schema=turn.question.schema or asked_schema(options),
            options=options,
        )
        prompts.sent(prompt)
        return prompt

    return Writing(
        model=model,
        prompt=lay_out,
        sentences=SentenceStream,
        is_refusal=is_refusal,
        quotes=functools.partial(_quotes, encode),
        limits=WritingLimits(max_tokens=serving.max_tokens, temperature=serving.temperature),
    )


async def _quotes(encode: Encode, question: str, sources: Sequence[Hit]) -> tuple[Quoted, ...]:
    from serving.extractive_quotes import quotes

    return tuple(Quoted(quote.text, quote.marker) for quote in await quotes(question, sources, _QUOTES, encode))


def policy_rows(settings: Settings, collection: str) -> list[dict[str, str]]:
    """Return the rules of a collection's policy, each as a row. Raises ConfigurationError when they make no guards."""
    from validation.guardrails.guardrails_policies import GuardrailsPolicies

    async def encode(texts: Sequence[str]) -> Vectors:
        raise AssertionError("only the rules are looked at")

    policies = GuardrailsPolicies(settings.policies_dir, encode=encode)
    policies.guards(collection)
    policy = policies.policy(collection)
    stages = {"input": policy.input, "passages": policy.passages, "output": policy.output}
    return [
        {"stage": stage, "rule": rule.name, "on_fail": rule.on_fail, "options": json.dumps(dict(rule.options))}
        for stage, rules in stages.items()
        for rule in rules
    ]
