"""Policy files: which rules watch over a collection, and what becomes of what they find."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from contracts import ConfigurationError

Stage = Literal["input", "passages", "output"]
OnFail = Literal["block", "redact", "flag", "drop", "abstain", "fence", "quarantine"]

_ALLOWED: Mapping[Stage, tuple[OnFail, ...]] = {
    "input": ("block", "redact", "flag"),
    "passages": ("fence", "quarantine"),
    "output": ("block", "redact", "drop", "flag", "abstain"),
}
_SHIPPED = Path(__file__).parent / "policies" / "default.yaml"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a stage: its name, what to do when a text breaks it, and its validator's arguments."""

    name: str
    on_fail: OnFail
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of each stage, in order. `version` is a hash of all that they say."""

    input: tuple[Rule, ...]
    passages: tuple[Rule, ...]
    output: tuple[Rule, ...]
    version: str


def policy_files(folder: Path, collection: str) -> tuple[Path, Path]:
    """Return the files that may change the shipped policy for a collection; the later one has the last word."""
    return folder / "default.yaml", folder / f"{collection}.yaml"


def read_policy(*files: Path) -> Policy:
    """Return the shipped policy, changed by those of the files that exist, one after the other. Raises
    ConfigurationError naming file, stage and rule."""
    rules = dict(_stages(_shipped(), _SHIPPED))
    for file in files:
        if file.exists():
            for stage, changes in _stages(_load(file), file).items():
                rules[stage] = _merged(rules[stage], changes)
    built = {
        stage: tuple(_rule(stage, name, said) for name, said in rules[stage].items() if said is not False)
        for stage in rules
    }
    said = json.dumps({stage: [repr(rule) for rule in each] for stage, each in built.items()})
    version = hashlib.sha256(said.encode()).hexdigest()[:12]
    return Policy(built["input"], built["passages"], built["output"], version)


@cache
def _shipped() -> Any:
    return _load(_SHIPPED)


def _load(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigurationError(f"The guard policy {str(file)!r} cannot be read: {exc}") from exc


def _stages(said: Any, file: Path) -> dict[Stage, dict[str, Any]]:
    """Return the rules by stage as a file says them; False stands for a rule that is off."""
    found: dict[Stage, dict[str, Any]] = {stage: {} for stage in _ALLOWED}
    if said is None:
        return found
    if not isinstance(said, Mapping) or not set(said) <= set(_ALLOWED):
        raise ConfigurationError(
            f"The guard policy {str(file)!r} must have the parts {', '.join(_ALLOWED)}, no others."
        )
    for stage in found:
        rules = said.get(stage) or {}
        if not isinstance(rules, Mapping):
            raise ConfigurationError(f"{str(file)!r}: {stage!r} must map rules to what they are given.")
        for name, given in rules.items():
            if given is not False and not isinstance(given, Mapping):
                raise ConfigurationError(
                    f"{str(file)!r}: {stage}.{name} is {given!r}; say `off`, or options such as {{on_fail: …}}."
                )
            if given is not False and given.get("on_fail", _ALLOWED[stage][0]) not in _ALLOWED[stage]:
                allowed = ", ".join(_ALLOWED[stage])
                raise ConfigurationError(f"{str(file)!r}: on_fail of {stage}.{name} must be one of {allowed}.")
            found[stage][str(name)] = given
    return found


def _merged(rules: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(rules)
    for name, said in changes.items():
        merged[name] = said if said is False else {**(rules.get(name) or {}), **said}
    return merged


def _rule(stage: Stage, name: str, said: Mapping[str, Any]) -> Rule:
    if "on_fail" not in said:
        raise ConfigurationError(f"The guard policy does not say what on_fail of {stage}.{name} is.")
    return Rule(name, said["on_fail"], {key: value for key, value in said.items() if key != "on_fail"})
