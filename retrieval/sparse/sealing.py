"""Words as an index file holds them: keyed hashes, which say nothing without the catalog they belong to."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b

_MOST = 1 << 18  # words that are remembered
_WORD = 6  # bytes: two words of a million share a hash with probability .002
_NAME = 15  # bytes: names decide who may read


class Seal:
    """Hashes under one key: 8 characters for a word, 20 for a name."""

    def __init__(self, key: str) -> None:
        self._key = blake2b(key.encode(errors="surrogatepass")).digest()
        self._known = _Known(self._key)

    def word(self, word: str) -> str:
        """Return the hash of a word."""
        return self._known[word]

    def words(self, words: list[str]) -> str:
        """Return the hashes of words, in order, with spaces between."""
        return " ".join(map(self._known.__getitem__, words))

    def name(self, name: str) -> str:
        """Return the hash of the name of a reader."""
        return _hash(name, self._key, _NAME)


class _Known(dict[str, str]):
    """The hashes of words, each made once."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __missing__(self, word: str) -> str:
        if len(self) >= _MOST:
            self.clear()
        self[word] = made = _hash(word, self._key, _WORD)
        return made


def _hash(text: str, key: bytes, size: int) -> str:
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=size, key=key).digest()
    return urlsafe_b64encode(digest).decode()
