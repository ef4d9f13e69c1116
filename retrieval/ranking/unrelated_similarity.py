"""Measures what cosine an embedder gives to texts that have nothing in common: about 0 with some, .7 with others."""

from __future__ import annotations

import numpy as np

from contracts import Embedder

_UNRELATED = [
    "The tram to the harbour leaves every ten minutes.",
    "Simmer the onions in butter until they are soft and golden.",
    "A prime number has no divisors other than one and itself.",
    "The court dismissed the appeal and ordered the tenant to pay the costs.",
    "Penguins keep their eggs warm on their feet through the winter.",
    "Set the timeout to thirty seconds before you restart the server.",
    "She scored twice in the second half of the final.",
    "Quarterly revenue rose by four percent, driven by sales in Asia.",
    "The violin concerto opens with a slow, quiet theme in the strings.",
    "Take one tablet with water after each meal.",
    "Glaciers carve valleys that are broad and have steep sides.",
    "The old emperor abdicated in favour of his youngest nephew.",
]


async def unrelated_similarity(embedder: Embedder) -> float:
    """Return the mean cosine between sentences about different things, at least 0 and less than 1."""
    vectors = await embedder.embed(_UNRELATED)
    cosines = vectors @ vectors.T
    pairs = cosines[np.triu_indices(len(_UNRELATED), 1)]
    return min(max(float(pairs.mean()), 0.0), 0.95)
