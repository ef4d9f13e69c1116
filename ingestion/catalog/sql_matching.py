"""Which documents match filters: looked up once, and from then on only where documents changed."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, or_, select

from contracts import Filter
from ingestion.catalog.filters import COLUMNS, matches
from ingestion.catalog.sql_schema import changes, collections, documents, versions
from ingestion.catalog.sql_transactions import batches

_REMEMBERED = 64  # sets of filters
_REMEMBERED_IDS = 4_000_000  # in all of them
_MOST_HINTS = 20
_AS_STORED = re.compile(r"[ !#-\[\]-~]{1,1000}")  # what JSON writes as it is

Filters = tuple[Filter, ...]


@dataclass(slots=True)
class _Matched:
    """What matches one set of filters, as of a generation."""

    lock: Lock = field(default_factory=Lock)
    generation: int = -1
    ids: frozenset[str] = frozenset()


class MatchedDocuments:
    """The documents that match filters, by collection and filters; the same set is returned while nothing changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._matched: OrderedDict[tuple[str, Filters], _Matched] = OrderedDict()

    def find(self, connection: Connection, collection: str, filters: Filters) -> frozenset[str]:
        """Return the ids of the collection's documents that match all filters."""
        matched = self._entry(collection, filters)
        with matched.lock:
            generation = _generation(connection, collection)
            if matched.generation < 0 or generation < matched.generation:  # at first, or the catalog was restored
                matched.ids = frozenset(_matching(connection, collection, filters))
            elif generation > matched.generation:
                matched.ids = _after_changes(connection, collection, filters, matched)
            matched.generation = generation
            return matched.ids

    def _entry(self, collection: str, filters: Filters) -> _Matched:
        with self._lock:
            matched = self._matched.setdefault((collection, filters), _Matched())
            self._matched.move_to_end((collection, filters))
            while len(self._matched) > 1 and (len(self._matched) > _REMEMBERED or self._size() > _REMEMBERED_IDS):
                self._matched.popitem(last=False)
            return matched

    def _size(self) -> int:
        return sum(len(matched.ids) for matched in self._matched.values())


def _generation(connection: Connection, collection: str) -> int:
    query = select(collections.c.generation).where(collections.c.name == collection)
    return connection.execute(query).scalar() or 0


def _after_changes(connection: Connection, collection: str, filters: Filters, matched: _Matched) -> frozenset[str]:
    newer = changes.c.generation > matched.generation
    query = select(changes.c.document_id).where(changes.c.collection == collection, newer)
    changed = connection.execute(query).scalars().all()
    matching = {each for some in batches(changed) for each in _matching(connection, collection, filters, some)}
    if matching == matched.ids.intersection(changed):
        return matched.ids
    return matched.ids.difference(changed) | matching


def _matching(
    connection: Connection, collection: str, filters: Filters, ids: Sequence[str] | None = None
) -> Iterator[str]:
    """Yield the ids of the documents that match, of the whole collection or of these."""
    exact = [each for each in filters if each.field in COLUMNS and each == Filter(each.field, each.any_of)]
    rest = [each for each in filters if each not in exact]
    names = [name for name in COLUMNS if name == "id" or any(each.field == name for each in rest)]
    described = any(each.field not in COLUMNS for each in rest)
    current = (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.version)
    columns: list[ColumnElement[Any]] = [*map(_column, names), *([versions.c.metadata] if described else [])]
    query = select(*columns).select_from(documents.join(versions, current)).where(documents.c.collection == collection)
    query = query.where(*(_column(each.field).in_(each.any_of) for each in exact), *_hints(rest))
    if ids is not None:
        query = query.where(documents.c.id.in_(ids))
    for row in connection.execute(query):
        fields = dict(zip(names, row, strict=False))
        if described:
            fields = {**row[-1], **fields}
        if all(matches(each, fields) for each in rest):
            yield fields["id"]


def _column(name: str) -> ColumnElement[str]:
    return documents.c[name] if name in documents.c else versions.c[name]


def _hints(filters: Sequence[Filter]) -> Iterator[ColumnElement[bool]]:
    """Yield what holds for the metadata of every document that matches, as it is stored. It saves reading most of the
    others; what is said of the metadata cannot be left to the database, where SQLite finds no key that is not ASCII."""
    stored = cast(versions.c.metadata, Text)
    for each in filters:
        if each.field not in COLUMNS:
            for some in ((each.field,), each.any_of):
                if 0 < len(some) <= _MOST_HINTS and all(map(_AS_STORED.fullmatch, some)):
                    yield or_(*(stored.contains(value, autoescape=True) for value in some))
