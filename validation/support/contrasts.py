"""Words that exclude each other, so that a sentence with one is not supported by a passage with another."""

from __future__ import annotations

from collections.abc import Iterable

_OPPOSITES = """
    first erste ersten erster | last final letzte letzten letzter
    before | after
    more mehr | less fewer weniger
    most meisten | least fewest wenigsten
    all every each everyone everything alle jeder jede jedes | some few several einige manche
    always immer | sometimes occasionally rarely seldom never manchmal selten nie
    increase increased increases increasing rise rose rises risen grew grow grows growing gained steigt stieg |\
    decrease decreased decreases decreasing fall fell falls decline declined declines declining dropped sinkt sank
    higher highest höher höchste | lower lowest niedriger niedrigste
    larger largest bigger biggest größer größte | smaller smallest kleiner kleinste
    longer longest länger längste | shorter shortest kürzer kürzeste
    older oldest älter älteste | younger youngest newest jünger jüngste
    earlier earliest früher früheste | later latest später späteste
    early früh | late spät
    above over über | below under underneath unter
    maximum höchstens | minimum mindestens
    north northern nord norden nördlich | south southern süd süden südlich
    east eastern ost osten östlich | west western westen westlich
    left links | right rechts
    open opens opened opening öffnet offen geöffnet | closed closes close closing schließt geschlossen
    start starts started begin begins began beginnt | end ends ended stop stops stopped endet
    allowed permitted erlaubt | forbidden prohibited banned verboten
    mandatory required compulsory obligatory pflicht | optional voluntary freiwillig
    accept accepts accepted | reject rejects rejected refused denied
    win wins won winner gewann | lose loses lost loser verlor
    buy buys bought kauft | sell sells sold verkauft
    import imports imported | export exports exported
    inside indoors | outside outdoors
    morning morgens | evening abends
    day tagsüber | night nachts
    male men husband father son brother boys | female women woman wife mother daughter sister girls
    hot warm heiß | cold kalt
    true | false
    legal | illegal
    success succeeded successful | failure failed unsuccessful
    arrive arrives arrived arrival ankunft | depart departs departed departure leaves abfahrt
    include includes included including inklusive | exclude excludes excluded excluding exklusive
    monday montag | tuesday dienstag | wednesday mittwoch | thursday donnerstag | friday freitag |\
    saturday samstag | sunday sonntag
    spring frühling | summer sommer | autumn herbst | winter
    red rot | blue blau | green grün | yellow gelb | black schwarz | white weiß
    daily täglich | weekly wöchentlich | monthly monatlich | yearly annually jährlich
"""
_SIDES: dict[str, list[tuple[int, int]]] = {}
for _group, _line in enumerate(filter(str.strip, _OPPOSITES.splitlines())):
    for _side, _words in enumerate(_line.split("|")):
        for _word in _words.split():
            _SIDES.setdefault(_word, []).append((_group, _side))

Marks = frozenset[tuple[int, int]]
"""The contrasts a text takes part in, each with the side that it is on."""


def marks_of(words: Iterable[str]) -> Marks:
    """Return the contrasts that these words, case folded, take part in."""
    return frozenset(mark for word in words for mark in _SIDES.get(word, ()))


def clash(said: Marks, held: Marks) -> bool:
    """Whether for some contrast `held` is on another side than `said`, and neither is on both.

    >>> clash(marks_of(["first"]), marks_of(["last"])), clash(marks_of(["first"]), marks_of(["first", "last"]))
    (True, False)
    """
    if not said or not held:
        return False
    for group in {group for group, _ in said} & {group for group, _ in held}:
        ours = {side for at, side in said if at == group}
        theirs = {side for at, side in held if at == group}
        if not ours & theirs:
            return True
    return False
