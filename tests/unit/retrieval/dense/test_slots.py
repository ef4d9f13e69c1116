"""The tables behind the FAISS view: growing arrays, keys, masks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import PUBLIC, Selection, StoredVectors
from retrieval.dense.growing import Growing
from retrieval.dense.index_contents import nothing
from retrieval.dense.key_lookup import KeyLookup
from retrieval.dense.masks import Masks
from retrieval.dense.slot_table import SlotTable


def stored(*keys: int, readers: tuple[str, ...] = (PUBLIC,)) -> StoredVectors:
    rows = np.eye(8, dtype=np.float32)[[key % 8 for key in keys]].reshape(-1, 8)
    return StoredVectors(np.array(keys, dtype=np.int64), rows, readers)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(-5, 5), max_size=50), max_size=20))
def test_an_array_grows_and_older_views_stay(parts: list[list[int]]) -> None:
    growing = Growing(np.empty(0, dtype=np.int64))
    whole: list[int] = []
    views = []
    for part in parts:
        growing.append(np.array(part, dtype=np.int64))
        whole += part
        views.append((growing.values, list(whole)))
    assert all(view.tolist() == then for view, then in views)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 50), max_size=30), st.lists(st.lists(st.integers(0, 50), max_size=9), max_size=20))
def test_the_last_slot_of_a_key_counts(first: list[int], parts: list[list[int]]) -> None:
    lookup = KeyLookup(np.array(first, dtype=np.int64), recent=10)
    keys = list(first)
    for part in parts:
        lookup.append(np.array(part, dtype=np.int64))
        keys += part
    assert lookup.find(range(60)) == {key: slot for slot, key in enumerate(keys)}


def test_a_change_touches_only_its_own_slots() -> None:
    table = SlotTable(nothing(8))
    table.apply([f"d{n}" for n in range(100)], {f"d{n}": stored(2 * n, 2 * n + 1) for n in range(100)})
    moment = table.moment
    table.apply(["d7"], {"d7": stored(1000)})
    touched = table.touched_since(moment)
    assert touched is not None and touched.tolist() == [14, 15, 200]
    assert (len(table), table.dead) == (201, 2)


def test_other_readers_leave_the_slots() -> None:
    table = SlotTable(nothing(8))
    table.apply(["a"], {"a": stored(1, 2)})
    table.apply(["a"], {"a": stored(1, 2, readers=("alice",))})
    assert (len(table), table.dead) == (2, 0)
    masks = Masks(table)
    assert masks.of(Selection((PUBLIC,))).selected == 0
    assert masks.of(Selection(("alice",))).slots.tolist() == [0, 1]


def test_a_mask_that_was_given_does_not_change() -> None:
    table, everyone = SlotTable(nothing(8)), Selection((PUBLIC,))
    masks = Masks(table)
    table.apply(["a", "b"], {"a": stored(1), "b": stored(2)})
    before = masks.of(everyone)
    table.apply(["a", "c"], {"c": stored(3)})
    after = masks.of(everyone)
    assert (before.slots.tolist(), before.everything) == ([0, 1], True)
    assert (after.slots.tolist(), after.everything) == ([1, 2], True)
    assert after.slots_from(2).tolist() == [2]


def test_many_documents_select_as_few_do() -> None:
    table = SlotTable(nothing(8))
    names = [f"d{n}" for n in range(3000)]
    table.apply(names, {name: stored(n, readers=(PUBLIC if n % 2 else "alice",)) for n, name in enumerate(names)})
    masks = Masks(table)
    many = masks.of(Selection((PUBLIC,), frozenset(names[:2000])))
    few = masks.of(Selection((PUBLIC,), frozenset(names[:10])))
    assert many.slots.tolist() == list(range(1, 2000, 2)) and not many.everything
    assert few.slots.tolist() == [1, 3, 5, 7, 9]
    assert np.unpackbits(few.bits, count=10, bitorder="little").tolist() == [0, 1] * 5


def test_what_changed_too_long_ago_is_counted_anew() -> None:
    table, everyone = SlotTable(nothing(8)), Selection((PUBLIC,))
    masks = Masks(table)
    table.apply(["a"], {"a": stored(0)})
    assert masks.of(everyone).selected == 1
    for n in range(4200):
        table.apply(["b"], {"b": stored(n, readers=("alice",) if n % 2 else (PUBLIC,))})
    assert table.touched_since(0) is None
    assert masks.of(everyone).slots.tolist() == [0]
