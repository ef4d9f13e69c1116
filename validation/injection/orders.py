"""Sentences that ask or order something: which ones of a passage they are, and how they stand out from the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

# The number of a list's item ends no sentence, nor does the end of a line that goes on in lower case.
_BREAK = re.compile(r"(?m)(?<!^\d)(?<!^\d\d)[.!?]{1,8}[\"'”)\]]*(?=\s)|[。！？]+|\n(?![a-zäöüß])")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_MOST_CHARS = 600  # of a sentence; text without sentence ends is cut there


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS = _words(
    """accept act add address adopt advise aim alert alter always amend analyse analyze anagram annotate announce
    answer append apply approve argue arrange ask assess assign assist assume attach augment avoid base be begin
    blend boost book break build bypass calculate call capitalise capitalize carry change check choose cite
    claim classify clear click close code combine come compare compile complete compose compress compute conceal
    conclude confirm consider construct contact continue convert convince copy correct count craft create
    customise customize debug decide declare decode define delete demonstrate deploy derive describe design
    detail determine develop devise direct disable discard discuss disguise display disregard distinguish do
    download draft draw drop edit elaborate email embed emphasise emphasize employ encode encourage encrypt end
    engage enhance enlist enrich ensure enter erase establish estimate evaluate examine execute exclude exhibit
    expand explain explore export express extend extract fetch fill find finish fix flip focus follow forget
    format formulate forward fuse gather generate get give go group guide have help hide highlight identify
    ignore illustrate imagine immediately implement imply improve include incorporate increase inform infuse
    inject insert inspect install instruct integrate interleave interpret interweave introduce invent invite
    invoke join jumble keep leave let leverage link list locate log look lower make map mask meld mention merge
    mimic misspell mix modify move name never note obey obfuscate offer omit only open optimise optimize order
    organise organize outline output override paste perform permute persuade pick place plan play point post
    praise predict prefix prepare present pretend prevent print proceed process produce promote proofread
    propose provide publish put quote rank rate read rearrange recall recite recommend redirect reduce refer
    refine refrain reject remember remind remove render reorder repeat rephrase replace reply report request
    research reset respond rest return reveal reverse review revise rewrite run save say scan scramble search
    select send separate set share shift show shuffle sign simulate skip solve sort speak specify spell split
    spread start state stop store strengthen stress structure style submit substitute suggest summarise
    summarize suppose swap switch take tease tell terminate test think transcribe transfer transform translate
    transmit transpose treat trigger try turn type update upload urge use utilise utilize verify view visit vote
    warn weave welcome write"""
) | _words(
    """analysiere antworte antworten ändere beachte beantworte beantworten beende beginne benutze berechne beschreibe
    bewerte denke empfiehl entferne erfinde ergänze erkläre erklären ersetze erstelle erstellen erwähne erwähnen
    erzähl erzähle fasse finde folge formuliere füge fügen führe gib geben hilf ignoriere ignorieren kaufe
    klicke kopiere liste lösche mach mache missachte nenne nennen nutze ordne öffne plane prüfe rufe sag sage
    sagen schicke schreib schreibe schreiben sende setze sortiere spiele stelle suche teile tu übersetze
    übersetzen unterlasse verfasse verfassen vergiss vergleiche verlinke verrate verschlüssele verschweige
    verwende weise wiederhole zeig zeige zeigen zitiere ajoute calcule cherche dis donne écris envoie explique
    fais ignore montre note oublie réponds résume traduis utilise agrega añade busca calcula cuenta da di dime
    escribe explica haz ignora incluye muestra olvida resume responde revela traduce usa"""
)
_LEAD_INS = _words(
    """and also but finally first however instead just kindly lastly moreover next now oh ok okay please ps so then
    therefore bitte nun jetzt dann und außerdem danach por favor"""
)
_ASKING = _words(
    """what which who whom whose when where why how is are was were do does did can could will would should may was wer
    wem wen wessen wann wo warum wieso weshalb wie welche welcher welches kann können ist sind qué quién cuándo
    dónde cómo cuál quel quelle quels qui quand où comment pourquoi"""
)
_REPLY = _words(
    """answer answers response responses reply replies output outputs summary summaries text message messages words
    letters solution code codebase implementation algorithm antwort antworten ausgabe zusammenfassung réponse
    respuesta"""
)
_MACHINE = _words(
    """ai ais assistant assistants chatbot chatbots bot llm llms gpt chatgpt claude copilot gemini agent agents ki
    sprachmodell sprachmodelle chatassistent assistenten modell ia"""
)
_STEERING = _words(
    """ignore disregard forget override instruction instructions prompt reveal secretly hidden obey pretend ignoriere
    ignorieren vergiss anweisung anweisungen ignora olvida ignorez oubliez"""
)
_YOU = _words("""you your yours yourself du dein deine deinem deinen deiner ihre ihrer ihrem usted tu tus vous votre""")
_COMMON = _words(
    """the a an and or of to in on at for from by with as is are was were be been it its this that these those he she
    they we you your i his her their our not no but if so do does did has have had will would can could may
    should must what which who when where why how there than then into about over after before up out all any
    some more most other der die das den dem des ein eine einer einen und oder von zu im am für mit auf aus ist
    sind war nicht es sie er wir ich du was wie wer wo"""
)
_ADDRESS = _YOU | _MACHINE | _STEERING
_OPENING_CHARS = 60
_STRANGE = 0.15  # a share of the words that the rest of the passage has too
_LONELY = 0.2  # a share of the other sentences that ask or order something
CONTEXT_FEATURES = 16
_STEERS = 5  # its place among the marks


@dataclass(frozen=True, slots=True)
class Order:
    """A sentence that asks or orders. `marks`, `CONTEXT_FEATURES` numbers of 0 to 1, say how it stands out."""

    start: int
    end: int
    marks: tuple[float, ...]

    @property
    def steers(self) -> bool:
        """Whether it has a word of those that override, hide or reveal orders."""
        return bool(self.marks[_STEERS])


def find_orders(text: str) -> list[Order]:
    """Return the sentences that may be orders or questions, in order. Most sentences of plain prose are not."""
    spans = list(_sentences(text))
    addressed = not _ADDRESS.isdisjoint(_WORD.findall(text.lower()))
    kinds = [_kind(text[start:end], addressed) for start, end in spans]
    asking = sum(1 for kind in kinds if kind)
    if not asking:
        return []
    words = [_WORD.findall(text[start:end].lower()) for start, end in spans]
    content = [frozenset(word for word in row if len(word) > 2) - _COMMON for row in words]
    uses = Counter(word for row in content for word in row)
    found = []
    for place, kind in enumerate(kinds):
        if kind:
            known = sum(uses[word] > 1 for word in content[place]) / max(1, len(content[place]))
            crowd = (asking - 1) / max(1, len(spans) - 1)
            ends = (place == 0, place == len(spans) - 1)
            found.append(Order(*spans[place], _marks(kind, words[place], known, crowd, ends)))
    return found


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of sentences and lines, without white space around them; overlong ones are cut."""
    start = 0
    for end in (*(match.end() for match in _BREAK.finditer(text)), len(text)):
        for left in range(start, end, _MOST_CHARS):
            piece = text[left : min(left + _MOST_CHARS, end)]
            if not piece.isspace():
                yield left + len(piece) - len(piece.lstrip()), left + len(piece.rstrip())
        start = end


def _kind(sentence: str, addressed: bool) -> str:
    """Return "order", "question" or "address" for what may be one, else nothing."""
    opening = _WORD.findall(sentence[:_OPENING_CHARS].lower())
    if len(opening) < 2:
        return ""
    place = 0
    while place < min(3, len(opening) - 1) and (opening[place] in _LEAD_INS or opening[place].isdigit()):
        place += 1
    if opening[place] in VERBS:
        return "order"
    if "?" in sentence[-3:]:
        return "question"
    if addressed and not _ADDRESS.isdisjoint(_WORD.findall(sentence.lower())):
        return "address"
    return ""


def _marks(kind: str, words: list[str], known: float, crowd: float, ends: tuple[bool, bool]) -> tuple[float, ...]:
    row = set(words)
    order, question = kind == "order", kind == "question"
    to_you = not row.isdisjoint(_YOU)
    strange = known < _STRANGE
    return (
        order,
        question,
        to_you,
        to_you and not row.isdisjoint(_REPLY),
        not row.isdisjoint(_MACHINE),
        not row.isdisjoint(_STEERING),
        1 - known,
        crowd,
        ends[0],
        ends[1],
        min(1.0, len(words) / 30),
        order and strange,
        question and strange,
        order and crowd < _LONELY,
        order and strange and crowd < _LONELY,
        question and words[0] in _ASKING,
    )
