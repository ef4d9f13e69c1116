"""Makes a corpus searchable the way files are: cut by the splitter, embedded in batches, stored in the catalog."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from apps.embedding_batches import CutVersion, EmbeddingBatches
from apps.evaluation.beir_dataset import Passage
from apps.indexing import Indexing
from apps.side_by_side import side_by_side
from contracts import Collection, Document, Element, JobState, ParsedFile, SourceState, Splitter

OnDone = Callable[[int], None]  # hears how many passages are done
_AT_ONCE = 1024  # passages under way; most of them wait for their turn to be embedded
_MEDIA_TYPE = "text/plain"
_EDITION = "evaluation-1"  # changes whenever `_parsed` does


@dataclass(frozen=True, slots=True)
class IndexedCorpus:
    """What became of a corpus: how many documents and chunks it has, and how many of the documents are new."""

    documents: int
    chunks: int
    added: int


def index_key(indexing: Indexing, corpus: str) -> str:
    """Return the name of a corpus, given its digest, as a new collection would cut and embed it."""
    splitter = indexing.open_splitter(indexing.cutting, indexing.embedder)
    key = "\0".join((corpus, indexing.embedder, splitter.name, _EDITION))
    return hashlib.sha256(key.encode()).hexdigest()[:16]


async def index_corpus(
    indexing: Indexing, passages: Iterable[Passage], collection: str, on_done: OnDone = lambda done: None
) -> IndexedCorpus:
    """Put the passages into a collection, each a document with the passage's id. Those that are there are passed over,
    so that what was broken off goes on."""
    opened = await indexing.open_collection(collection)
    corpus = _Corpus(indexing, opened)
    known = await indexing.states.states(collection)
    recipe = corpus.recipe

    def is_new(passage: Passage) -> bool:
        state = known.get(passage.id)
        return state is None or (state.digest, state.recipe) != (passage.digest, recipe)

    new = (passage for passage in passages if is_new(passage))
    added = 0
    on_done(len(known))
    async for _ in side_by_side(corpus.store, new, _AT_ONCE):
        added += 1
        on_done(len(known) + added)
    found = await indexing.collections.find(collection) or opened
    return IndexedCorpus(found.documents, found.chunks, added)


class _Corpus:
    """What stores passages in one collection."""

    def __init__(self, indexing: Indexing, collection: Collection) -> None:
        self._indexing = indexing
        self._collection = collection.name
        self._splitter: Splitter = indexing.open_splitter(collection.cutting, collection.embedder)
        self._batches = EmbeddingBatches(indexing.catalog, indexing.open_embedder(collection.embedder))

    @property
    def recipe(self) -> str:
        return f"{_EDITION} {self._splitter.name}"

    async def store(self, passage: Passage) -> None:
        document = _document(passage, self._collection)
        state = SourceState(passage.id, document.version, self.recipe)
        chunks = await asyncio.to_thread(self._splitter.split, document, _parsed(passage))
        if not chunks:  # it holds nothing but marks
            await self._indexing.states.record(self._collection, [state])
            return
        await self._batches.until_room()
        await self._batches.store(CutVersion(document, chunks, state), _no_report)


async def _no_report(stage: JobState, done: int = 0, total: int = 0) -> None:
    pass


def _document(passage: Passage, collection: str) -> Document:
    return Document(
        id=passage.id,
        collection=collection,
        version=passage.digest,
        source=passage.id,
        title=passage.title,
        media_type=_MEDIA_TYPE,
        size=len(passage.text.encode()),
    )


def _parsed(passage: Passage) -> ParsedFile:
    """Return the text by paragraph; a passage that has no more than a title says that."""
    paragraphs = re.split(r"\n\s*\n", passage.text or passage.title)
    return ParsedFile(passage.title, _MEDIA_TYPE, tuple(Element(text) for text in paragraphs))
