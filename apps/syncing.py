"""Makes a collection mirror its sources: what is new or changed is read, what moved is renamed, what is gone can go."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from apps.indexing import Indexing
from apps.sources import INSIDE, Fetch, FileList, Indexed, Outcome, Source, identify
from contracts import Collection, InvalidInputError, ListedFile, SourceState, SourceTree

_DELETED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync will do. `same` are the outcomes of files that need not be read; `gone` are sources whose files are
    no longer there; `unreadable` are folders that could not be looked into, each with the reason."""

    collection: str
    known: FileList
    read: tuple[Source, ...]
    moved: tuple[tuple[SourceState, Source], ...]
    gone: tuple[str, ...]
    same: tuple[Indexed, ...]
    unreadable: tuple[tuple[str, str], ...]

    def is_new(self, source: Source) -> bool:
        """Return whether a source that will be read is not in the collection yet."""
        return self.known.get(source.name) is None


@dataclass(frozen=True, slots=True)
class Syncing:
    """The use case over the indexing of single files."""

    indexing: Indexing

    async def plan(self, trees: Sequence[SourceTree], collection: str, *, exact: bool = False) -> Plan:
        """Compare what is there with what is known.

        Files are told apart by their fingerprints where they have one; `exact` looks into those that seem changed, so
        that one which was only touched is not in the plan. Raises InvalidInputError when a tree cannot be read.
        """
        found = await self.indexing.expected_collection(collection)
        listed: dict[str, Source] = {}
        states: dict[str, SourceState] = {}
        unreadable: dict[str, str] = {}
        for tree in trees:
            listing = await tree.list()
            listed |= {file.name: _source(tree, file, collection) for file in listing.files}
            under = await self.indexing.states.states(collection, tree.root)
            states |= {name: state for name, state in under.items() if _is_below(name, tree.root)}
            unreadable |= listing.unreadable
        known = FileList(states)
        read, same = [], []
        for source in listed.values():
            recipe = self.indexing.recipe(found, source)
            done = self.indexing.remembered(source, recipe, known)
            if done is None and exact and known.get(source.name):
                done = self.indexing.remembered(source, recipe, known, await self._digest(source))
            read.append(source) if done is None else same.append(done)
        gone = [
            state
            for state in states.values()
            if not state.container and state.source not in listed and not state.source.startswith(tuple(unreadable))
        ]
        new = [source for source in read if not known.get(source.name)]
        moved = [pair async for pair in self._moves(found, gone, new)]
        arrived, left = {new.name for _, new in moved}, {old.source for old, _ in moved}
        return Plan(
            collection=collection,
            known=known,
            read=tuple(source for source in read if source.name not in arrived),
            moved=tuple(moved),
            gone=tuple(state.source for state in gone if state.source not in left),
            same=tuple(same),
            unreadable=tuple(unreadable.items()),
        )

    async def run(self, plan: Plan, *, delete: bool = False) -> AsyncGenerator[Indexed]:
        """Carry the plan out and yield what became of each file that it touches. Deletions come last."""
        for old, new in plan.moved:
            # The archive last: broken off in the middle, it is still the old one that is gone, with what is left in it.
            for state in (*plan.known.every_inside(old.source), old):
                yield await self._move(plan.collection, state, old.source, new)
        async for done in self.indexing.index_all(plan.read, plan.collection, plan.known):
            yield done
        for start in range(0, len(plan.gone) if delete else 0, _DELETED_AT_ONCE):
            sources = plan.gone[start : start + _DELETED_AT_ONCE]
            await self.indexing.remove_sources(plan.collection, sources, plan.known)
            for source in sources:
                yield Indexed(source, Outcome.DELETED, identify(plan.collection, source))

    async def _moves(
        self, found: Collection, gone: Sequence[SourceState], new: Sequence[Source]
    ) -> AsyncGenerator[tuple[SourceState, Source]]:
        """Yield pairs of a file that is gone and a new one with the same content, to be treated the same."""
        by_digest: defaultdict[str, list[SourceState]] = defaultdict(list)
        for state in gone:
            if not state.reason:
                by_digest[state.digest].append(state)
        for source in new if by_digest else ():
            recipe = self.indexing.recipe(found, source)
            same = by_digest.get(await self._digest(source), [])
            match = next((state for state in same if state.recipe == recipe), None)
            if match:
                same.remove(match)
                yield match, source

    async def _digest(self, source: Source) -> str:
        """Return the SHA-256 of a source, or nothing when it cannot be read: reading it will say why."""
        with tempfile.TemporaryDirectory(dir=self.indexing.scratch, ignore_cleanup_errors=True) as scratch:
            try:
                return await self.indexing.originals.digest(await source.fetch(Path(scratch)))
            except OSError:
                return ""

    async def _move(self, collection: str, state: SourceState, old: str, new: Source) -> Indexed:
        name = new.name + state.source.removeprefix(old)
        container = state.container and new.name + state.container.removeprefix(old)
        moved = replace(state, source=name, container=container, fingerprint="" if container else new.fingerprint)
        old_id, new_id = identify(collection, state.source), identify(collection, name)
        found = await self.indexing.catalog.find(collection, old_id)
        if found is None:  # an archive, or a file in it that could not be read
            await self.indexing.states.forget(collection, [state.source])
            await self.indexing.states.record(collection, [moved])
        else:
            stem = PurePath(state.source).stem
            title = PurePath(name).stem if found.document.title == stem else found.document.title
            document = replace(found.document, id=new_id, source=name, title=title)
            await self.indexing.catalog.move(collection, old_id, document, moved)
        return Indexed(name, Outcome.MOVED, new_id, found.chunks if found else 0)


def check_not_emptied(plan: Plan, trees: Sequence[SourceTree]) -> None:
    """Raise InvalidInputError when a tree with documents is empty now: an unmounted disk looks like that."""
    remaining = {source.name for source in plan.read} | {new.name for _, new in plan.moved}
    remaining |= {done.source for done in plan.same}
    for tree in trees:
        lost = [source for source in plan.gone if _is_below(source, tree.root)]
        if lost and not any(_is_below(name, tree.root) for name in remaining):
            raise InvalidInputError(
                f"{tree.root!r} is empty, and {len(lost)} files came from there: is the disk mounted? Nothing was "
                "deleted. To delete them all the same, say --allow-empty."
            )


def _is_below(name: str, root: str) -> bool:
    """Return whether a source is the root itself, or in it: `report.docx` is not in `report.doc`."""
    return name == root or name.startswith(root if root.endswith("/") else root + INSIDE)


def _source(tree: SourceTree, file: ListedFile, collection: str) -> Source:
    said = file.description
    return Source(
        file.name,
        _fetch(tree, file.name),
        collection,
        readers=said.readers,
        metadata=said.metadata,
        fingerprint=file.fingerprint,
        problem=said.problem,
    )


def _fetch(tree: SourceTree, name: str) -> Fetch:
    async def fetch(scratch: Path) -> Path:
        return await tree.fetch(name, scratch)

    return fetch
