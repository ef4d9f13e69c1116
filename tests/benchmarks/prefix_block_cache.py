"""A model of an engine's prefix cache: what of a prompt vLLM would find in it, without computing anything."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence


class PrefixBlockCache:
    """Full blocks of `block` tokens, each known by all that stands before its end; of `capacity` tokens, those used
    least recently go first, and of one prompt the last ones."""

    def __init__(self, block: int, capacity: int) -> None:
        self._block = block
        self._most = capacity // block
        self._kept: OrderedDict[int, None] = OrderedDict()

    def found(self, tokens: Sequence[int]) -> int:
        """Return how many tokens of the prompt were known, and keep it. The last token is always computed."""
        chain, name = [], 0
        for end in range(self._block, len(tokens) + 1, self._block):
            name = hash((name, tuple(tokens[end - self._block : end])))
            chain.append(name)
        known = next((place for place, name in enumerate(chain) if name not in self._kept), len(chain))
        if known * self._block == len(tokens):
            known -= 1
        for name in reversed(chain):
            self._kept[name] = None
            self._kept.move_to_end(name)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return known * self._block
