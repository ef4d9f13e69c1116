"""From the rules of a policy to validators of Guardrails AI. Importing Guardrails takes seconds."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from contracts import ConfigurationError, Vectors
from validation.guardrails.guardrails_offline import silence_guardrails
from validation.guardrails.guardrails_runner import Check
from validation.policy import OnFail, Rule, Stage

Encode = Callable[[Sequence[str]], Awaitable[Vectors]]

_VALIDATORS: Mapping[str, str] = {
    "question_form": "validation.guardrails.guardrails_question_form.QuestionForm",
    "prompt_injection": "validation.guardrails.guardrails_injection.PromptInjection",
    "personal_data": "validation.guardrails.guardrails_personal_data.PersonalData",
    "topics": "validation.guardrails.guardrails_topics.Topics",
    "banned_words": "validation.guardrails.guardrails_topics.BannedWords",
    "supported": "validation.guardrails.guardrails_citations.Supported",
    "entailed": "validation.guardrails.guardrails_entailment.Entailed",
    "citations_exist": "validation.guardrails.guardrails_citations.CitationsExist",
    "says_more": "validation.guardrails.guardrails_citations.SaysMore",
    "secrets": "validation.guardrails.guardrails_secrets.Secrets",
    "foreign_links": "validation.guardrails.guardrails_links.ForeignLinks",
}
_ACTIONS: Mapping[OnFail, str] = {
    "block": "REFRAIN",
    "redact": "FIX",
    "drop": "FILTER",
    "abstain": "FILTER",
    "flag": "NOOP",
}


def build_checks(stage: Stage, rules: Sequence[Rule], encode: Encode | None) -> tuple[Check, ...]:
    """Return a check per rule. `encode`, the sentence encoder, goes to the validators that take one. Raises
    ConfigurationError naming the rule."""
    silence_guardrails()
    return tuple(_check(stage, rule, encode) for rule in rules)


def _check(stage: Stage, rule: Rule, encode: Encode | None) -> Check:
    from guardrails import OnFailAction

    where = f"{stage}.{rule.name} of the guard policy"
    try:
        kind = _class(rule.name)
        given = {"encode": encode} if "encode" in inspect.signature(kind).parameters else {}
        options = {name: value for name, value in rule.options.items() if (stage, name) != ("input", "restore")}
        validator = kind(**options, **given, on_fail=OnFailAction[_ACTIONS[rule.on_fail]])
    except (ImportError, AttributeError) as exc:
        known = ", ".join(sorted(_VALIDATORS))
        raise ConfigurationError(
            f"{where} is not known: {exc}. Known are {known}, and the import paths of installed Guardrails validators."
        ) from exc
    except (TypeError, ValueError) as exc:
        raise ConfigurationError(f"{where} cannot be made: {exc}") from exc
    return Check(rule.name, rule.on_fail, validator)


def _class(name: str) -> Any:
    module, _, attribute = _VALIDATORS.get(name, name).rpartition(".")
    if not module:
        raise ImportError(f"there is no rule {name!r}")
    return getattr(importlib.import_module(module), attribute)
