"""Which topic a question is about, by the sentence encoder; topics are named, and better described by examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; `examples` are questions about it."""

    name: str
    examples: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: str | Mapping[str, Any]) -> Topic:
        """Return the topic that a policy gives as a name, or as {"name": ..., "examples": [...]}. Raises ValueError."""
        if isinstance(given, str):
            return cls(given)
        try:
            return cls(str(given["name"]), tuple(map(str, given.get("examples", ()))))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{given!r} is no topic: write its name, or its name and a list of examples") from error

    @property
    def texts(self) -> tuple[str, ...]:
        """What describes it."""
        return (self.name.replace("_", " "), *self.examples)


def topic_vectors(topics: Sequence[Topic], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a unit vector for each topic, the mean of its texts', of shape (topics, dimension). `rows` are the unit
    vectors of the texts of all topics, one after another."""
    vectors, start = [], 0
    for topic in topics:
        mean = rows[start : start + len(topic.texts)].mean(axis=0)
        vectors.append(mean / max(float(np.linalg.norm(mean)), 1e-9))
        start += len(topic.texts)
    return np.array(vectors, np.float32).reshape(len(topics), rows.shape[1])


def off_limits(
    question: NDArray[np.float32],
    denied: tuple[Sequence[Topic], NDArray[np.float32]],
    allowed: tuple[Sequence[Topic], NDArray[np.float32]],
    threshold: float,
) -> str | None:
    """Return why the question with this unit vector may not be answered, or None.

    It may not when a denied topic is as close as `threshold` (cosine) and closer than every allowed one, or when there
    are allowed topics and none is as close as `threshold`.
    """
    forbidden, permitted = denied[1] @ question, allowed[1] @ question
    best = float(permitted.max(initial=-1.0))
    if len(forbidden) and forbidden.max() >= threshold and forbidden.max() > best:
        return f"The question is about {denied[0][int(forbidden.argmax())].name!r}, which is not answered here."
    if len(permitted) and best < threshold:
        return f"Questions here are about {', '.join(topic.name for topic in allowed[0])}. Ask about one of these."
    return None
