"""An order of passages in which consecutive prompts begin alike, so that the model server computes less.

An engine with a prefix cache computes only what follows the beginning that a prompt shares with an earlier one. Which
passages belong in a prompt is settled by then; in which order they stand matters little to a model that is shown a few
whole ones. So those come first that earlier prompts began with, in that order, and after them those that are asked for
most. After RAGBoost and CacheWeaver, which do the same in the prompt layer."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence

from contracts import Hit

_Names = tuple[str, ...]


class PrefixOrder:
    """Remembers how the last `size` prompts began; `note` what was sent, and `arranged` follows it."""

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._beginnings: OrderedDict[_Names, int] = OrderedDict()  # a beginning, and how many characters it has
        self._asked: Counter[str] = Counter()

    def arranged(self, sources: Sequence[Hit]) -> tuple[Hit, ...]:
        """Return the passages in the order that shares the longest beginning with an earlier prompt."""
        named = {_name(hit): hit for hit in sources}
        begun = self._longest((), frozenset(named))
        rest = [name for name in named if name not in begun]
        rest.sort(key=lambda name: -self._asked[name])  # among equals the better ones first, as they came
        return tuple(named[name] for name in (*begun, *rest))

    def note(self, sources: Sequence[Hit]) -> None:
        """Remember a prompt that was sent."""
        names = tuple(map(_name, sources))
        self._asked.update(names)
        characters = 0
        for count, hit in enumerate(sources, start=1):
            characters += len(hit.chunk.text)
            self._beginnings[names[:count]] = characters
            self._beginnings.move_to_end(names[:count])
        while len(self._beginnings) > self._size:
            self._beginnings.popitem(last=False)
        if len(self._asked) > self._size:
            self._asked = Counter({name: count // 2 for name, count in self._asked.items() if count > 1})

    def _longest(self, begun: _Names, left: frozenset[str]) -> _Names:
        """Return the longest known beginning, by its characters, that goes on from `begun` with passages of `left`."""
        ways = [(*begun, name) for name in left if (*begun, name) in self._beginnings]
        longest = [self._longest(way, left - {way[-1]}) for way in ways]
        return max(longest, key=lambda way: (self._beginnings[way], way), default=begun)


def _name(hit: Hit) -> str:
    return f"{hit.chunk.id} {len(hit.chunk.text)}"  # one that was cut to fit is another text
