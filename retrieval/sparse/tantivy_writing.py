"""Changes of a catalog on their way into a Tantivy index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts import StoredTexts
from retrieval.sparse.sealing import Seal
from retrieval.sparse.tantivy_documents import STATE, documents, state

_SMALL, _LARGE = 15_000_000, 100_000_000  # bytes of memory; the first is the least that Tantivy takes
_COMMIT_EVERY = 50_000  # chunks


class TantivyWriting:
    """One writer of one index, which no other may write at that time. `large` gives it memory for many documents."""

    def __init__(self, index: Any, seal: Seal, *, large: bool) -> None:
        self._seal = seal
        self._writer = index.writer(_LARGE if large else _SMALL, 1)
        self._pending = 0

    @property
    def full(self) -> bool:
        """Whether it is time to commit."""
        return self._pending >= _COMMIT_EVERY

    def replace(self, ids: Sequence[str], stored: Mapping[str, StoredTexts]) -> None:
        """Remove what the index holds of these documents and add what there is of them now."""
        for document_id in ids:
            self._writer.delete_documents_by_term("document", document_id)
            if document_id in stored:
                for made in documents(document_id, stored[document_id], self._seal):
                    self._writer.add_document(made)
                    self._pending += 1

    def commit(self, generation: int) -> None:
        """Make it all visible at once, with the generation that it stands for."""
        self._writer.delete_documents_by_term("state", STATE)
        self._writer.add_document(state(generation))
        self._writer.commit()
        self._pending = 0

    def close(self) -> None:
        """Give up what is not committed, wait for merges and let others write."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()
