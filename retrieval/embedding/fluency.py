"""How well an encoder's vocabulary knows the language of a text. Its vectors are worth no more than that: an English
model takes an Arabic text for a string of letters."""

from __future__ import annotations

import copy
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LATIN_END = "\u0250"
_LEAST_LATIN, _LEAST_OTHER = 3, 2  # letters of a piece that may carry meaning; other scripts say more with fewer
_MANY_IDEOGRAPHS = 2000  # English vocabularies know some hundred, Chinese and multilingual ones thousands


class Fluency:
    """`tokenizer` is a sentence-transformers model's own; it is copied, for the model changes its state."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer: Tokenizer = copy.deepcopy(getattr(tokenizer, "backend_tokenizer", tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._unknown = {self._tokenizer.token_to_id(name) for name in ("[UNK]", "<unk>")}
        pieces = (piece.lstrip("#▁") for piece in self._tokenizer.get_vocab())
        self._reads_ideographs = sum(len(piece) == 1 and _is_ideograph(piece) for piece in pieces) >= _MANY_IDEOGRAPHS

    def share(self, text: str) -> float:
        """Return the share of the text's letters, 0 to 1, that stand in pieces which can carry meaning: words, parts of
        words of some letters, known ideographs. 1 for a text without letters."""
        letters = sum(map(_is_letter, text))
        if not letters:
            return 1.0
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        spans = encoding.offsets
        carried = 0
        for position, (start, end) in enumerate(spans):
            taken_apart = (position and start < spans[position - 1][1]) or (
                position + 1 < len(spans) and spans[position + 1][0] < end
            )
            if encoding.ids[position] not in self._unknown and not taken_apart and self._carries(text, start, end):
                carried += sum(map(_is_letter, text[start:end]))
        return carried / letters

    def _carries(self, text: str, start: int, end: int) -> bool:
        start += text[start:end].startswith(" ")  # some tokenizers count it to the word
        piece = text[start:end]
        if any(map(_is_ideograph, piece)):
            return self._reads_ideographs
        if len(piece) >= (_LEAST_LATIN if max(piece, default="") < _LATIN_END else _LEAST_OTHER):
            return True
        return not (_is_letter(text[start - 1 : start]) or _is_letter(text[end : end + 1]))  # a short word


def _is_letter(one: str) -> bool:
    return one.isalpha() or (not one.isascii() and unicodedata.category(one)[0] == "M")


def _is_ideograph(one: str) -> bool:
    """Return whether this is a sign that may stand for a word or a syllable: Chinese, Japanese."""
    return "\u3040" <= one <= "\u30ff" or "\u3400" <= one <= "\u9fff"
