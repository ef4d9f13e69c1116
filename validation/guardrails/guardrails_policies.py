"""The guards of each collection, as its policy files say at the moment; a change counts from the next question on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contracts import ConfigurationError, Guards, PassageGuard
from validation.guardrails.guardrails_guards import GuardrailsInputGuard, GuardrailsOutputGuard
from validation.guardrails.guardrails_rules import Encode, build_checks
from validation.injection.passage_guard import PassageScanner
from validation.policy import Policy, policy_files, read_policy

_Signs = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    signs: _Signs
    policy: Policy


class GuardrailsPolicies:
    """Port `GuardPolicies`. `folder` holds the policy files, and need not exist. `encode` is the sentence encoder for
    the rules that need one.

    Example: ``GuardrailsPolicies(Path("policies"), encode=embedder.embed).guards("default")``
    """

    def __init__(self, folder: Path, *, encode: Encode | None = None) -> None:
        self._folder = folder
        self._encode = encode
        self._known: dict[str, _Known] = {}
        self._guards: dict[str, Guards] = {}  # by version: most collections share one

    def policy(self, collection: str) -> Policy:
        """Return the collection's policy as its files are now. Raises ConfigurationError."""
        files = policy_files(self._folder, collection)
        signs = tuple(_sign(file) for file in files)
        known = self._known.get(collection)
        if known is None or known.signs != signs:
            known = self._known[collection] = _Known(signs, read_policy(*files))
        return known.policy

    def passage_guard(self, collection: str) -> PassageGuard:
        """Return what checks the passages of a collection; Guardrails is not imported for it."""
        rules = {rule.name: rule.options for rule in self.policy(collection).passages}
        try:
            return PassageScanner(rules, encode=self._encode)
        except (TypeError, ValueError) as exc:
            raise ConfigurationError(f"The passages of the guard policy of {collection!r}: {exc}") from exc

    def guards(self, collection: str) -> Guards:
        """Return the guards that its policy names, as it is now. Raises ConfigurationError when it cannot be
        understood: nothing goes unguarded."""
        policy = self.policy(collection)
        if policy.version not in self._guards:
            self._guards[policy.version] = self._build(policy, collection)
        return self._guards[policy.version]

    def _build(self, policy: Policy, collection: str) -> Guards:
        restore = any(rule.name == "personal_data" and rule.options.get("restore") for rule in policy.input)
        return Guards(
            input=GuardrailsInputGuard(build_checks("input", policy.input, self._encode), restore=restore),
            passages=self.passage_guard(collection),
            output=GuardrailsOutputGuard(build_checks("output", policy.output, self._encode)),
            quarantined=frozenset(rule.name for rule in policy.passages if rule.on_fail == "quarantine"),
            version=policy.version,
        )


def _sign(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
