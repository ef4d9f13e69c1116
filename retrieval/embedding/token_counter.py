"""Counts tokens as a sentence encoder reads them, without limit, padding or special tokens."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class TokenCounter:
    """`tokenizer` is a sentence-transformers model's own; it is copied, for the model changes its state as it encodes,
    on another thread."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer: Tokenizer = copy.deepcopy(getattr(tokenizer, "backend_tokenizer", tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def special_tokens(self) -> int:
        """Return how many tokens the model adds to a text."""
        return self._tokenizer.num_special_tokens_to_add(is_pair=False)

    def count(self, text: str) -> int:
        """Return how many tokens `text` is."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is."""
        return [len(encoding) for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
