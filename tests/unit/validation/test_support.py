"""Minimal pairs: a sentence the passage supports beside one that turns its meaning round with hardly another word."""

import pytest

from validation.support.citations import settle
from validation.support.groundedness import groundedness
from validation.support.terms import terms_of

BUS = "Timetable\nThe first bus leaves the village at 6:10. The last bus leaves the village at 22:40."
HIRE = "Staff\nAnna Keller hired Bruno Frei in 2019. Bruno Frei was promoted by Anna Keller in 2021."
RULES = (
    "House rules\nThe kitchen does not open until 9:00. All guests must pay in cash. Dogs are allowed on the terrace."
)
TEAM = "Inventors\nNikola Tesla invented the induction motor. Thomas Edison invented the phonograph in Menlo Park."
LEAGUE = "Sport\nThe National Football League was founded in Canton. The Italian team from Rome won the cup of the U.S."
GERMAN = (
    "Hausordnung\nDie Küche öffnet am 1. Mai. Hunde sind im Schlafraum nicht erlaubt. Frau Keller leitet die Hütte."
)
CHINESE = "小屋指南\n小屋于2024年5月1日开放。狗不允许进入宿舍。登山需要两个小时。"
ARABIC = "دليل الكوخ\nيفتح الكوخ أبوابه في 1 مايو 2024. يحتوي الكوخ على 60 سريرا."
SPANISH = "Guía\nEl refugio abre el 1 de mayo de 2024. La subida dura dos horas."


@pytest.mark.parametrize(
    ("passage", "right", "wrong"),
    [
        (BUS, "The last bus leaves the village at 22:40.", "The last bus leaves the village at 6:10."),
        (BUS, "The first bus leaves at 6:10.", "The first bus leaves at 22:40."),
        (HIRE, "Anna Keller hired Bruno Frei.", "Bruno Frei hired Anna Keller."),
        (HIRE, "Bruno Frei was hired by Anna Keller.", "Anna Keller was hired by Bruno Frei."),
        (HIRE, "Anna Keller hired Bruno Frei in 2019.", "Anna Keller hired Bruno Frei in 2021."),
        (RULES, "The kitchen opens at 9:00.", "The kitchen is open until 9:00."),
        (RULES, "All guests must pay in cash.", "Some guests must pay in cash."),
        (RULES, "All guests must pay in cash.", "All guests must not pay in cash."),
        (RULES, "Dogs are allowed on the terrace.", "Dogs are forbidden on the terrace."),
        (TEAM, "The induction motor was invented by Nikola Tesla.", "The induction motor was invented by Marie Curie."),
        (TEAM, "The phonograph was invented by Thomas Edison.", "The phonograph was invented by Nikola Tesla."),
        (LEAGUE, "The NFL was founded in Canton.", "The NBA was founded in Canton."),
        (LEAGUE, "The team from Italy won the cup.", "The team from France won the cup."),
        (GERMAN, "Die Küche öffnet am 1. Mai.", "Die Küche öffnet am 2. Mai."),
        (GERMAN, "Hunde sind im Schlafraum nicht erlaubt.", "Hunde sind im Schlafraum erlaubt."),
        (CHINESE, "小屋于5月1日开放。", "小屋于6月1日开放。"),
        (CHINESE, "登山需要两个小时。", "小屋有一个游泳池。"),
        (ARABIC, "يحتوي الكوخ على 60 سريرا.", "يحتوي الكوخ على 80 سريرا."),
        (SPANISH, "El refugio abre el 1 de mayo.", "El refugio no abre el 1 de mayo."),
    ],
)
def test_what_turns_the_meaning_round_is_not_supported(passage: str, right: str, wrong: str) -> None:
    assert settle(right, (passage,), 0.6) is not None
    assert settle(wrong, (passage,), 0.6) is None
    assert groundedness(right, passage) > groundedness(wrong, passage)


def test_a_name_may_stand_in_the_title_or_before_a_sentence_that_says_he() -> None:
    passage = "Nikola Tesla\nThe inventor came from Smiljan. He moved to New York City in 1884 with little money."
    assert settle("Nikola Tesla moved to New York City in 1884.", (passage,), 0.6) is not None


def test_a_name_that_the_question_has_may_be_shortened_in_the_passage() -> None:
    passage = "Presley was born in Tupelo and moved to Memphis."
    sentence = "It was in Tupelo that Elvis Presley was born."
    assert settle(sentence, (passage,), 0.6) is None
    assert settle(sentence, (passage,), 0.6, "Where was Elvis Presley born?") is not None


def test_among_many_passages_the_pair_that_says_it_is_found() -> None:
    filler = tuple(f"Note {number}\nThe path crosses stream number {number} near the moraine." for number in range(30))
    passages = (*filler, "The hut opens in May.", "A night costs 25 francs.")
    settled = settle("The hut opens in May and a night costs 25 francs.", passages, 0.8)
    assert settled is not None
    assert settled.markers == (31, 32)


def test_numbers_in_words_and_with_scales_are_their_values() -> None:
    assert terms_of("fifty people and 1.5 million euros").numbers == {"50", "1500000"}
    assert terms_of("٣٠٨ نقطة").numbers == {"308"}


def test_chinese_and_arabic_have_content_words() -> None:
    assert terms_of("小屋开放").words
    assert terms_of("يفتح الكوخ").words
