"""What is done for an index in the background: structures are built, dead slots dropped, snapshots written."""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from retrieval.dense.background import Background
from retrieval.dense.faiss_structures import build
from retrieval.dense.faiss_threads import use_half_of_the_cores
from retrieval.dense.index_contents import Contents
from retrieval.dense.index_policy import IndexPolicy, Kind
from retrieval.dense.index_snapshots import SnapshotPlace, discard
from retrieval.dense.index_state import Frozen, IndexState
from retrieval.dense.snapshot_files import read, write_contents, write_state
from retrieval.dense.structure import Structure

_UNSAVED_SHARE = 0.02  # of the slots: so many may be missing in a snapshot, and are fetched from the catalog
_WRITTEN_PER_QUIET = 1 << 28  # bytes of vectors that make the quiet bound longer by itself
_COMPACTED_FROM = 64  # dead slots; fewer are not worth it
_LATER, _WASTED = 2.0, 4.0  # times the quiet bound: until tried again when another process writes, when removals came
_one_at_a_time = threading.Lock()  # builds in this process
_log = logging.getLogger(__name__)


class IndexUpkeep:
    """Keeps the state as the policy wants it, and a snapshot of it. `wants_reading` says that another process has
    written one that saves this one the building, `wants_epoch` that snapshots were removed since the epoch was noted:
    none is written until it is noted again."""

    def __init__(
        self,
        state: IndexState,
        policy: IndexPolicy,
        place: SnapshotPlace | None,
        *,
        origin: str,
        dimension: int,
        quiet_s: float,
    ) -> None:
        self.wants_reading = self.wants_epoch = False
        self._base: Path | None = None  # the snapshot that the state was last read from or written to
        self._state = state
        self._policy = policy
        self._place = place
        self._origin = origin
        self._dimension = dimension
        self._epoch = ""
        self._saved = 0  # slots in the snapshot
        self._background = Background(self._tend, quiet_s=quiet_s)

    def note_epoch(self) -> None:
        """Remember, before the catalog is asked, which removals of snapshots it will have told of."""
        self.wants_epoch = False
        try:
            self._epoch = self._place.epoch() if self._place is not None else ""
        except OSError as exc:
            self._epoch = ""
            _log.warning("index snapshots cannot be written: %s", exc)

    def started_from(self, snapshot: Path | None) -> None:
        """Remember which snapshot the state is from."""
        self._base, self._saved = snapshot, self._state.count

    def ask(self) -> None:
        """Have done what is due, once things are quiet: the longer, the more there is to write."""
        if self._restructuring() or self._snapshot_due():
            self._background.ask(factor=1 + 4 * self._state.count * self._dimension / _WRITTEN_PER_QUIET)

    def settle(self) -> None:
        """Do at once what is due, and return when nothing is."""
        self._background.settle()

    def close(self) -> None:
        """Stop, and write the snapshot if one is due."""
        self._background.stop()
        if self._snapshot_due() and self._place is not None:
            with self._place.writing() as alone:
                if alone:
                    self._save(self._state.freeze())

    # --- what is due ---

    def _restructuring(self) -> bool:
        state, policy = self._state, self._policy
        structure, live = state.structure, state.count - state.dead
        if self._compacting():
            return True
        if structure is None:
            return policy.kind(live, self._dimension) is not Kind.EXACT
        return self._outgrown(structure, live) or state.count - structure.covers > policy.tail_rows

    def _compacting(self) -> bool:
        return self._state.dead > max(_COMPACTED_FROM, self._policy.dead_share * self._state.count)

    @staticmethod
    def _outgrown(structure: Structure, live: int) -> bool:
        return not structure.trained_on // 2 <= live <= structure.trained_on * 2

    def _snapshot_due(self) -> bool:
        if not self._epoch or self._place is None or self._state.count == self._state.dead:
            return False
        if self._base is None or not self._base.exists():
            return True
        return self._state.count - self._saved > _UNSAVED_SHARE * self._state.count

    # --- in the background ---

    def _tend(self) -> None:
        use_half_of_the_cores()
        if self._place is not None and self._epoch and not self._place.still(self._epoch):
            self._epoch, self.wants_epoch = "", True
        with _one_at_a_time, self._alone() as alone:
            if self._restructuring() and self._newer_is_there():
                self.wants_reading = True
            elif not alone:
                self._background.ask(factor=_LATER)
            else:
                if self._snapshot_due():
                    self._save(self._state.freeze())
                if self._restructuring():
                    restructured = self._restructured(self._state.freeze())
                    if self._epoch and restructured.structure is not None:
                        self._save(restructured)

    def _alone(self) -> AbstractContextManager[bool]:
        return self._place.writing() if self._place is not None and self._epoch else nullcontext(True)

    def _newer_is_there(self) -> bool:
        """Whether another process has written a snapshot that this one has not read."""
        newest = self._place.newest() if self._place is not None else None
        return newest is not None and newest != self._base and (self._base is None or newest.name >= self._base.name)

    def _restructured(self, frozen: Frozen) -> Frozen:
        contents, structure = frozen.contents, frozen.structure
        if self._compacting():
            contents = contents.compacted().in_memory()
            return self._state.take_compacted(contents, self._built(contents), frozen)
        if structure is None or self._outgrown(structure, int(contents.alive.sum())):
            structure = self._built(contents)
        else:
            structure = structure.extended(contents, self._background.proceed)
        self._state.take_structure(structure, frozen)
        return replace(frozen, structure=structure)

    def _built(self, contents: Contents) -> Structure | None:
        kind = self._policy.kind(int(contents.alive.sum()), self._dimension)
        return None if kind is Kind.EXACT else build(kind, contents, self._background.proceed)

    def _save(self, frozen: Frozen) -> None:
        """Write a snapshot and read from it from now on; discard it when it may hold what was deleted meanwhile."""
        assert self._place is not None
        epoch = self._epoch
        if (written := self._written(self._place, frozen)) is None:
            return
        if self._state.is_current(frozen) and self._place.still(epoch):
            self._place.keep_only(written)
            self._take_up(written, frozen)
        else:
            discard(written)
            self._background.ask(factor=_WASTED)

    def _written(self, place: SnapshotPlace, frozen: Frozen) -> Path | None:
        contents, structure = frozen.contents, frozen.structure
        new: Path | None = None
        try:
            new = place.begin()
            if structure is not None and not structure.clean(contents.alive):
                structure = structure.extended(contents, _go_on)
            write_contents(new, contents, _go_on)
            write_state(new, contents, structure, self._origin)
            return place.finish(new, contents.generation)
        except OSError as exc:
            _log.warning("index snapshot %s cannot be written: %s", new or "", exc)
            if new is not None:
                discard(new)
            return None

    def _take_up(self, written: Path, frozen: Frozen) -> None:
        """Read from now on what was written, instead of what is held in memory."""
        self._base, self._saved = written, len(frozen.contents.keys)
        try:
            latest = frozen.contents.generation
            found = read(written, origin=self._origin, latest=latest, dimension=self._dimension)
        except FileNotFoundError:
            return
        self._state.take_rows(found.contents.rows.base, frozen)
        if found.structure is not None:
            self._state.take_structure(found.structure, frozen)


def _go_on() -> None:
    """Never stop: what is written is soon finished."""
