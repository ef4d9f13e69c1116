"""Which turns of a conversation fit a number of tokens, and what is left of a message that does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts import Role

CountTokens = Callable[[str], int]

_BYTES_PER_TOKEN = 4  # of UTF-8, roughly, in any script
_COUNTED_CHARS = 8000  # of a text; what follows is taken to be like it
_MOST_CHARS = 16  # that are one token; a tokenizer may call an endless word one "unknown" token
_HEAD = 2 / 3  # of what is left of a text; the rest is its end, where a long question often asks
_GAP = " … "
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Said:
    """A message without its text."""

    id: int
    role: Role
    tokens: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A message in the window, and how many tokens of it."""

    id: int
    role: Role
    tokens: int
    is_whole: bool


def approximate_tokens(text: str) -> int:
    """Return about how many tokens a text is, without a tokenizer."""
    return len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN + 1


def size_of(text: str, count: CountTokens) -> int:
    """Return how many tokens a text is, at least 1; of a long one about how many, from its start."""
    counted = count(text[:_COUNTED_CHARS])
    if len(text) > _COUNTED_CHARS:
        counted = counted * len(text) // _COUNTED_CHARS
    return max(1, counted, len(text) // _MOST_CHARS)


def window(said: Sequence[Said], budget: int) -> list[Shown]:
    """Return the last whole turns that fit `budget` tokens, oldest first. A turn is a question with what follows it. No
    message takes more than half of the budget, and of the last turn none so much that another finds no room."""
    shown: list[Shown] = []
    left = budget
    for turn in reversed(_turns(said) if budget > 0 else []):
        most = budget // (2 if shown else max(2, len(turn)))
        sizes = [min(message.tokens, most) for message in turn]
        if sum(sizes) > left:
            break
        left -= sum(sizes)
        shown[:0] = (Shown(m.id, m.role, size, size == m.tokens) for m, size in zip(turn, sizes, strict=True))
    return shown


def shortened(text: str, room: int, count: CountTokens) -> str:
    """Return the start and the end of a text, `room` tokens together at most; nothing where not even that fits."""
    share = room / size_of(text, count)
    for _ in range(_TRIES):
        kept = int(len(text) * share)
        head = int(kept * _HEAD)
        cut = f"{text[:head].rstrip()}{_GAP}{text[len(text) - (kept - head) :].lstrip()}".strip()
        size = size_of(cut, count)
        if size <= room:
            return cut
        share *= 0.9 * room / size
    return ""


def _turns(said: Sequence[Said]) -> list[list[Said]]:
    turns: list[list[Said]] = []
    for message in said:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns
