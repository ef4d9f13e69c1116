"""A server that keeps failing is left alone for a while, so that asking it costs nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from serving.streamed_answers import Completions, CompletionsAwayError, CompletionsRefusedError, Piece


class CircuitBreaker:
    """`Completions` of a server that is away from the `failures`-th failed answer in a row on, for `rest_s`. Then one
    request tries it; the others follow once it says something, and if it fails again it rests again."""

    def __init__(
        self, completions: Completions, *, failures: int, rest_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._completions = completions
        self._failures = failures
        self._rest_s = rest_s
        self._clock = clock
        self._failed = 0
        self._opens_at = 0.0
        self._tries = False

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        """Yield the answer. Raises CompletionsError, at once while the server rests."""
        trying = self._admit()
        said = False
        try:
            async with aclosing(self._completions.stream(body)) as pieces:
                async for piece in pieces:
                    if trying:
                        trying = self._tries = False
                    said = True
                    yield piece
            self._failed = 0
        except CompletionsAwayError:
            self._failed += 1
            self._opens_at = self._clock() + self._rest_s
            raise
        except CompletionsRefusedError:
            self._failed = 0  # it is there
            raise
        except GeneratorExit:
            self._failed = 0 if said else self._failed
            raise
        finally:
            if trying:
                self._tries = False

    def _admit(self) -> bool:
        """Return whether this request is the one that tries. Raises CompletionsAwayError."""
        if self._failed < self._failures:
            return False
        left = self._opens_at - self._clock()
        if left > 0 or self._tries:
            raise CompletionsAwayError(f"it failed {self._failed} times in a row and is left alone for now")
        self._tries = True
        return True
