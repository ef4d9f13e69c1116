"""The guard on passages of documents: planted orders, hidden text and links that carry data away."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from contracts import Vectors
from validation.injection.injection_model import injection_models
from validation.injection.passage_injection import FENCE, find_planted
from validation.injection.passage_signs import has_exfiltration_link, has_hidden_text

Encode = Callable[[Sequence[str]], Awaitable[Vectors]]
_RULES = ("prompt_injection", "hidden_text", "exfiltration_link")
_CODE = 1  # raise it when the same passage would be judged otherwise by the same rules and artefact
_SHORT_CHARS = 8000  # about 2 ms; more is judged in a thread


class PassageScanner:
    """Port `PassageGuard`. `rules` are those to check, with their options: `prompt_injection` takes a `threshold`.

    It judges words and characters alone, some .2 ms a passage, and needs no vectors: `encode` is what other guards are
    built with and may be left out. Raises ValueError for a rule or an option that there is not.
    """

    def __init__(self, rules: Mapping[str, Mapping[str, Any]], *, encode: Encode | None = None) -> None:
        self._rules = {name: _options(name, options) for name, options in rules.items()}
        self._threshold = self._rules.get("prompt_injection", {}).get("threshold", FENCE)

    @property
    def version(self) -> str:
        """A hash of the rules, their options, this code and the trained classifier."""
        artefact = injection_models().version if "prompt_injection" in self._rules else ""
        facts = json.dumps([self._rules, _CODE, artefact], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    async def check(self, texts: Sequence[str]) -> Sequence[tuple[str, ...]]:
        """Return, for each text, the names of the rules that it breaks, in alphabetical order."""
        if sum(map(len, texts)) <= _SHORT_CHARS:
            return self._judge(texts)
        return await asyncio.to_thread(self._judge, texts)

    def _judge(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        return [tuple(sorted(rule for rule in self._rules if self._breaks(rule, text))) for text in texts]

    def _breaks(self, rule: str, text: str) -> bool:
        if rule == "hidden_text":
            return has_hidden_text(text)
        if rule == "exfiltration_link":
            return has_exfiltration_link(text)
        return bool(find_planted(text, self._threshold))


def _options(rule: str, options: Mapping[str, Any]) -> dict[str, float]:
    if rule not in _RULES:
        raise ValueError(f"There is no rule {rule!r}; choose among {', '.join(_RULES)}.")
    unknown = set(options) - ({"threshold"} if rule == "prompt_injection" else set())
    if unknown:
        raise ValueError(f"The rule {rule!r} takes no {sorted(unknown)[0]!r}; remove it.")
    given = {name: float(value) for name, value in options.items()}
    if not 0 < given.get("threshold", FENCE) <= 1:
        raise ValueError(f"The threshold of {rule!r} is {given['threshold']}; it must be above 0 and at most 1.")
    return given
