"""How lookups of answers ended, as counts by name that every store adds up in its own way."""

from __future__ import annotations

from collections.abc import Mapping

from contracts import CacheOutcome, CacheStats, Usage


def counts_of(outcome: CacheOutcome, saved: Usage) -> dict[str, int]:
    """Return what one lookup adds to the counts."""
    return {outcome: 1, "prompt": saved.prompt_tokens, "completion": saved.completion_tokens}


def stats_of(
    counts: Mapping[str, int], answers: int, *, bytes: int | None = None, semantic_ready: bool = True
) -> CacheStats:
    """Return the counts with what else is known of the store."""
    return CacheStats(
        answers=answers,
        exact=counts.get("exact", 0),
        semantic=counts.get("semantic", 0),
        misses=counts.get("miss", 0),
        stale=counts.get("stale", 0),
        saved_prompt_tokens=counts.get("prompt", 0),
        saved_completion_tokens=counts.get("completion", 0),
        bytes=bytes,
        semantic_ready=semantic_ready,
    )
