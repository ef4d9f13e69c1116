"""How a chunk lies in Tantivy: sealed words and names, the key of the chunk, and no text.

``title``, ``headings`` and ``body`` hold what is scored; ``exact`` the same in order, unstemmed, for phrases;
``readers`` and ``number`` (the document's id in short) what a search is limited by. One more document, the state, says
which generation of the catalog the index stands for; it is written with every commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from contracts import PUBLIC, StoredTexts
from retrieval.sparse.analysis import terms_and_sequence
from retrieval.sparse.langid_language import language_of
from retrieval.sparse.sealing import Seal

FORMAT = "1"  # of all that lies in the index, the analysis of words included: another one is made anew
LIMITED = "limited"  # a mark in `readers`, which no sealed name can be: not for everyone
STATE = "state"


@lru_cache
def schema() -> Any:
    """Return Tantivy's description of the fields."""
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    for name in ("title", "headings", "body"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("exact", tokenizer_name="whitespace", index_option="position")
    for name in ("readers", "language", "state"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic", stored=True)
    builder.add_unsigned_field("generation", stored=True)
    builder.add_unsigned_field("number", indexed=True, fast=True)
    builder.add_integer_field("key", fast=True)
    return builder.build()


def number_of(document_id: str) -> int:
    """Return a document's id as a number of 63 bits."""
    return int.from_bytes(blake2b(document_id.encode(errors="surrogatepass"), digest_size=8).digest()) >> 1


def state(generation: int) -> Any:
    """Return the document that says which generation the index stands for."""
    from tantivy import Document

    made = Document()
    made.add_text("state", STATE)
    made.add_unsigned("generation", generation)
    return made


def documents(document_id: str, stored: StoredTexts, seal: Seal) -> Iterator[Any]:
    """Yield what is written for each chunk of a document."""
    from tantivy import Document

    language = language_of("\n".join([stored.title, *(one.text for one in stored.texts[:4])]))
    title = _sealed(stored.title, language, seal)
    readers = [seal.name(reader) for reader in stored.readers]
    if PUBLIC not in stored.readers:
        readers.append(LIMITED)
    number = number_of(document_id)
    for one in stored.texts:
        headings = [_sealed(each, language, seal) for each in one.headings]
        body = _sealed(one.text, language, seal)
        made = Document()
        made.add_integer("key", one.key)
        made.add_text("document", document_id)
        made.add_unsigned("number", number)
        made.add_text("language", language)
        made.add_text("title", title[0])
        made.add_text("headings", " ".join(found for found, _ in headings))
        made.add_text("body", body[0])
        for _, in_order in (title, *headings, body):
            made.add_text("exact", in_order)
        for reader in readers:
            made.add_text("readers", reader)
        yield made


def _sealed(text: str, language: str, seal: Seal) -> tuple[str, str]:
    found, in_order = terms_and_sequence(text, language)
    return seal.words(found), seal.words(in_order)
