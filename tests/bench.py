"""An indexing for tests: real catalog, parsers and splitter, with an embedder that counts what it embeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from apps.embedding_batches import heading_line
from apps.indexing import Indexing
from apps.sources import Indexed, Source, local_file
from apps.syncing import Plan, Syncing
from cache.memory_answer_cache import MemoryAnswerCache
from contracts import Cutting, Embedder, ParseError, ParseFailure, Parser, PassageGuard, Splitter, Vectors
from ingestion.parsing.archives.archive_parser import ArchiveParser
from ingestion.parsing.markup.csv_parser import CsvParser
from ingestion.parsing.markup.plain_text_parser import PlainTextParser
from ingestion.parsing.media_types import ARCHIVE_TYPES, CSV
from ingestion.parsing.parser_router import ParserRouter
from ingestion.sources.fsspec_tree import FsspecTree
from ingestion.sources.originals import Originals
from ingestion.splitting.structural_splitter import StructuralSplitter
from observability.mlflow_runs import MemoryRunLog
from retrieval.embedding.hashing_embedder import HashingEmbedder
from tests.library import Shelf
from tests.word_tokens import WordTokens
from validation.permissive_guards import PermissivePassageGuard

CUTTING = Cutting(chunk_tokens=40)


class CountingEmbedder:
    """A hashing embedder that remembers its texts; one that holds "poison" cannot be embedded."""

    def __init__(self, name: str = "counting") -> None:
        self._inner = HashingEmbedder()
        self.name = name
        self.dimension = self._inner.dimension
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if any("poison" in text for text in texts):
            raise ValueError("this text cannot be embedded")
        self.texts += texts
        return await self._inner.embed(texts)


class Bench:
    """Files in a folder, and what indexes them."""

    def __init__(self, folder: Path, *, max_bytes: int = 10_000, cutting: Cutting = CUTTING) -> None:
        self.folder = folder / "files"
        self.folder.mkdir()
        self.data = folder
        self.shelf = Shelf(folder)
        self.answers = MemoryAnswerCache()
        self.runs = MemoryRunLog()
        self.guard: PassageGuard = PermissivePassageGuard()
        self.embedders = {"counting": CountingEmbedder(), "other": CountingEmbedder("other")}
        self.indexing = self.open(max_bytes, cutting)
        self.syncing = Syncing(self.indexing)

    def open(self, max_bytes: int = 10_000, cutting: Cutting = CUTTING) -> Indexing:
        """Return a new indexing on the same catalog."""
        (self.data / "scratch").mkdir(exist_ok=True)
        return Indexing(
            parser=_parser(max_bytes),
            edition="test-1",
            open_splitter=_splitter,
            open_embedder=self._embedder,
            catalog=self.shelf.catalog,
            collections=self.shelf.collections,
            states=self.shelf.states,
            originals=Originals(self.data / "originals", max_bytes=max_bytes),
            on_removed=self._forget,
            on_collection_removed=lambda name: None,
            run_log=self.runs,
            embedder="counting",
            cutting=cutting,
            scratch=self.data / "scratch",
            passage_guard=lambda collection: self.guard,
        )

    @property
    def embedded(self) -> list[str]:
        """Every text that was embedded."""
        return self.embedders["counting"].texts

    def write(self, text: str | bytes, name: str = "tram.txt", **more: object) -> Source:
        """Write a file and return it as a source."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return Source(str(path), local_file(path), **more)  # type: ignore[arg-type]

    async def plan(self, *, exact: bool = False) -> Plan:
        """Return the plan of a sync of the folder."""
        return await self.syncing.plan([FsspecTree(str(self.folder))], "default", exact=exact)

    async def sync(self, *, delete: bool = False) -> dict[str, str]:
        """Sync the folder and return the outcomes of what was touched, by the name in the folder."""
        done: list[Indexed] = [each async for each in self.syncing.run(await self.plan(), delete=delete)]
        every = [each for top in done for each in top.every()]
        return {each.source.removeprefix(f"{self.folder}/"): each.reason or each.outcome.value for each in every}

    async def sources(self) -> list[str]:
        """Return the names of the documents in the catalog."""
        listed = await self.shelf.catalog.list("default", limit=1000)
        return [each.document.source.removeprefix(f"{self.folder}/") for each in listed]

    def kept(self) -> int:
        """Return how many originals there are, and staged copies."""
        return sum(path.is_file() for path in (self.data / "originals").rglob("*"))

    async def _forget(self, collection: str, document_ids: Sequence[str]) -> None:
        await self.answers.forget(document_ids)

    def _embedder(self, name: str) -> Embedder:
        return self.embedders[name]


class _Parser:
    """The router, but for a file that no parser survives."""

    def __init__(self, max_bytes: int) -> None:
        self._router = ParserRouter(
            {CSV: CsvParser(), **dict.fromkeys(ARCHIVE_TYPES, ArchiveParser())}, PlainTextParser(), max_bytes=max_bytes
        )

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None):  # type: ignore[no-untyped-def]
        if name and name.endswith("slow.txt"):
            raise ParseError(ParseFailure.TIMEOUT, f"{name!r} took too long.")
        return await self._router.parse(path, name, scratch=scratch)


def _parser(max_bytes: int) -> Parser:
    return _Parser(max_bytes)


def _splitter(cutting: Cutting, embedder: str) -> Splitter:
    return StructuralSplitter(WordTokens(), heading_line, chunk_tokens=cutting.chunk_tokens, overlap_tokens=4)
