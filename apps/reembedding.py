"""Gives a collection another embedder while it is searched: new vectors beside the old ones, then a switch."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from apps.collection_settings import existing_collection, working_embedder
from apps.embedding_batches import embedded_text
from contracts import Builds, Collections, ConflictError, Embedder

_AT_ONCE = 512  # chunks


@dataclass(frozen=True, slots=True)
class Reembedding:
    """The use case over its ports. It can be broken off and started again at any time: what is embedded stays."""

    collections: Collections
    builds: Builds
    open_embedder: Callable[[str], Embedder]

    async def run(self, collection: str, model: str) -> AsyncGenerator[tuple[int, int]]:
        """Embed the collection with `model` and let searches use it; yield how many chunks are done, and of how many.

        Raises NotFoundError, InvalidInputError when the model cannot be loaded, and ConflictError when another run
        gives the collection another embedder. Documents that arrive meanwhile are embedded too before the switch.
        """
        found = await existing_collection(self.collections, collection)
        embedder = await working_embedder(self.open_embedder, model)  # before anything is begun
        await self.builds.begin(collection, embedder.name)  # ends another one that was begun
        if found.embedder == embedder.name:
            return
        done = 0
        while True:
            while missing := await self.builds.missing(collection, embedder.name, _AT_ONCE):
                texts = {name: embedded_text(document, chunk) for name, document, chunk in missing}
                await self.builds.add(embedder.name, list(texts), await embedder.embed(list(texts.values())))
                await self._check_still_wanted(collection, embedder.name)
                done += len(missing)
                yield done, max(done, found.chunks)
            if await self.builds.switch(collection, embedder.name):
                return

    async def _check_still_wanted(self, collection: str, embedder: str) -> None:
        """Vectors of an embedder that is given up are not kept, so that they would be missing for ever."""
        found = await self.collections.settings(collection)
        if found and embedder not in (found.embedder, found.next_embedder):
            raise ConflictError(f"Collection {collection!r} is being given another embedder by now, not {embedder!r}.")
