"""Passages in an order in which consecutive prompts begin alike."""

from hypothesis import given
from hypothesis import strategies as st

from contracts import Hit
from serving.prefix_order import PrefixOrder
from tests.library import hit

NAMES = "abcdefgh"
PASSAGES = {name: hit(name, f"What passage {name} says." * (1 + place)) for place, name in enumerate(NAMES)}


def passages(names: str) -> list[Hit]:
    return [PASSAGES[name] for name in names]


def names(hits: tuple[Hit, ...]) -> str:
    return "".join(each.document.id for each in hits)


def sent(order: PrefixOrder, wanted: str) -> str:
    arranged = order.arranged(passages(wanted))
    order.note(arranged)
    return names(arranged)


def test_without_a_past_the_best_comes_first() -> None:
    assert names(PrefixOrder().arranged(passages("cab"))) == "cab"


def test_what_an_earlier_prompt_began_with_comes_first_in_its_order() -> None:
    order = PrefixOrder()
    assert sent(order, "abc") == "abc"
    assert sent(order, "cbd") == "cbd"  # neither prompt began so
    assert sent(order, "dba") == "abd"  # begins as the first one did
    assert sent(order, "bca") == "abc"


def test_the_longer_of_two_beginnings_is_taken() -> None:
    order = PrefixOrder()
    order.note(passages("ab"))
    order.note(passages("gh"))
    assert names(order.arranged(passages("abgh"))) == "ghab"


def test_where_nothing_begins_alike_the_ones_asked_for_most_come_first() -> None:
    order = PrefixOrder()
    for wanted in ("hd", "gd", "fd"):
        order.note(passages(wanted))
    assert names(order.arranged(passages("cd"))) == "dc"


def test_a_passage_that_was_cut_is_another_text() -> None:
    order = PrefixOrder()
    order.note(passages("ab"))
    shortened = [hit("a", "What"), *passages("c")]
    assert names(order.arranged(shortened)) == "ac"
    assert names(order.arranged([*passages("c"), hit("a", "What")])) == "ca"


@given(st.lists(st.sets(st.sampled_from(NAMES), min_size=1, max_size=5), min_size=1, max_size=30))
def test_none_is_lost_or_doubled_and_memory_is_bounded(prompts: list[set[str]]) -> None:
    order = PrefixOrder(size=8)
    for wanted in prompts:
        assert sorted(sent(order, "".join(sorted(wanted)))) == sorted(wanted)
        assert len(order._beginnings) <= 8
        assert len(order._asked) <= 16
