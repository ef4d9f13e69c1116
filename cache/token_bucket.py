"""A token bucket: it holds up to `burst` tokens and fills at a steady rate (RFC 2697 and others)."""

from __future__ import annotations

from contracts import Rate


def take(tokens: float, elapsed_s: float, rate: Rate, cost: float) -> tuple[float, float]:
    """Return what the bucket holds after one tried to take `cost` of it, and 0 or the seconds until so much is there.

    It held `tokens`, `elapsed_s` ago; a clock that went back counts as no time. Who asks for more than the burst gets
    a whole bucket's worth, when it is full."""
    per_second = rate.per_minute / 60
    held = min(rate.burst, tokens + max(0.0, elapsed_s) * per_second)
    wanted = min(cost, rate.burst)
    if held >= wanted:
        return held - wanted, 0.0
    return held, (wanted - held) / per_second


def full_again_s(tokens: float, rate: Rate) -> float:
    """Return the seconds until the bucket is full: then it is as good as none."""
    return (rate.burst - tokens) / (rate.per_minute / 60)
