"""The classes of words do not contradict one another."""

from itertools import combinations

from cache.question_vocabulary import FUNCTION_WORDS, MEMBERS, NEGATIONS, NUMBERS, SIDES, SYNONYMS


def test_no_word_is_its_own_opposite() -> None:
    assert [word for word, sides in SIDES.items() if any((axis, 1 - side) in sides for axis, side in sides)] == []


def test_each_opposition_has_two_sides() -> None:
    sides = {place for places in SIDES.values() for place in places}
    assert sides == {(axis, side) for axis in range(len(sides) // 2) for side in (0, 1)}


def test_words_that_ask_the_same_are_not_opposites() -> None:
    def opposed(one: str, other: str) -> bool:
        return any((axis, 1 - side) in SIDES.get(other, ()) for axis, side in SIDES.get(one, ()))

    alike = [pair for pair in combinations(SYNONYMS, 2) if SYNONYMS[pair[0]] == SYNONYMS[pair[1]]]
    assert [pair for pair in alike if opposed(*pair)] == []


def test_a_word_that_decides_is_never_passed_over() -> None:
    assert FUNCTION_WORDS.isdisjoint(NEGATIONS)
    assert FUNCTION_WORDS.isdisjoint(MEMBERS)
    assert FUNCTION_WORDS.isdisjoint(NUMBERS)
