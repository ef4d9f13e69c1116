"""Whether a sentence of an answer is a refusal: the model saying that it, or its sources, cannot answer."""

from __future__ import annotations

import re

_SOURCES = (
    r"(?:(?:provided|given|available|cited|above|these|numbered|retrieved|the)\s+)*"
    r"(?:sources?|documents?|passages?|contexts?|texts?|excerpts?|information|materials?|articles?|snippets?)"
    r"(?:\s+(?:provided|given|available|above|here))*"
)
_SAY = (
    r"(?:say|state|mention|specify|contain|include|provide|give|answer|address|tell|indicate|discuss|describe|explain"
    r"|cover|reveal|have|list|offer|clarify|disclose)"
)
_SAID = (
    r"(?:mentioned|stated|given|specified|provided|said|found|answered|included|contained|addressed|available|covered"
    r"|discussed|described|known|clear)"
)
_DO_NOT = r"(?:do(?:es)?\s+not|do(?:es)?n['’]t|did\s+not|didn['’]t|fails?\s+to)"
_CANNOT = r"(?:cannot|can\s*not|can['’]t|could\s+not|couldn['’]t|(?:am|['’]m)\s+(?:not\s+able|unable)\s+to)"
_ISNT = r"(?:is|are|was|were)\s*(?:not|n['’]t)\s+(?:\w+ly\s+)?"
_OPENING = (
    r"^(?:(?:unfortunately|sorry|however|no|i['’]?m\s+sorry|i\s+am\s+sorry|i\s+apologi[sz]e|based\s+on[^,]{3,60}"
    r"|according\s+to[^,]{3,60}),?\s*(?:but\s+|that\s+)?){0,3}"  # without a bound, backtracking takes for ever
)
_ABOUT_IT = (
    r"(?:\s+(?:that|this|the|its|any|enough|who|what|when|where|how|why|which|whether|if|about|it|specific|on"
    r"|information|anything|details)\b|\W*$)"
)
_ENGLISH = (
    # Who speaks is the model, and what it speaks of are its sources: "The report says that ..." is neither.
    rf"{_OPENING}(?:the|these|your|my)?\s*{_SOURCES}\s+{_DO_NOT}\s+(?:\w+ly\s+)?{_SAY}{_ABOUT_IT}",
    rf"{_OPENING}(?:none|neither)\s+of\s+(?:the|these)\s+{_SOURCES}\s+(?:{_SAY}|\w+s)\s+(?:this|that|it|who|what|when|where|how|why|the|any)\b",
    rf"{_OPENING}no\s+(?:\w+\s+){{0,2}}(?:information|answer)\s+(?:\w+\s+)*(?:is|was|are|in|from|to)\b",
    rf"{_OPENING}(?:it|this|that|they|(?:the\s+)?(?:\w+\s+){{0,8}}?)\s*{_ISNT}{_SAID}\s+(?:in|by)\s+(?:any\s+of\s+)?"
    rf"(?:the|these)\s+{_SOURCES}\W*$",
    rf"^(?:not|nowhere)\s+(?:\w+ly\s+)?{_SAID}(?:\s+(?:in|by)\s+(?:the|these)\s+{_SOURCES})?\W*$",
    rf"{_OPENING}(?:it|this|that|the\s+answer|the\s+question|the\s+information)\s+{_ISNT}{_SAID}\W*$",
    rf"{_OPENING}(?:there\s+is|there['’]s|there\s+was)\s+(?:no|not\s+(?:enough|any)|n['’]t\s+(?:enough|any)|insufficient)\s+"
    r"(?:\w+\s+){0,2}(?:information|answer|mention)\b",
    rf"{_OPENING}i\s+(?:really\s+|just\s+)?(?:{_DO_NOT}|{_CANNOT})\s+(?:\w+ly\s+)?(?:(?:know|see)\W*$|know\s+(?:who|what|when|"
    r"where|how|why|which|the|if|whether)\b|(?:have|find|see|answer|provide|determine|locate|give|tell|say|access|confirm)\b)",
    rf"{_OPENING}i\s+have\s+(?:no|not\s+(?:found|enough))\s+(?:\w+\s+){{0,2}}(?:information|answer|data|knowledge)\b",
    rf"{_OPENING}(?:the\s+|this\s+)?(?:question|this|it)\s+{_CANNOT}\s+be\s+(?:answered|determined)\b",
    r"^(?:unknown|unanswerable|no\s+answer|n/a|not\s+answerable|insufficient\s+information)\W*$",
    r"^i(?:['’]m|\s+am)\s+(?:sorry|afraid|not\s+sure)\W*$",
)
_QUELLEN = r"(?:quellen?|dokumente?n?|texte?n?s?|textstellen|passagen?|unterlagen|kontext|abschnitten?|informationen)"
_GERMAN = (
    rf"^(?:leider\s+)?(?:die|der|das|keine\s+der)\s+(?:\w+en\s+)?{_QUELLEN}\s+(?:sagen|sagt|nennen|nennt|enthalten|enthält|"
    r"erwähnen|erwähnt|geben|gibt|beantworten|beantwortet|machen|macht|liefern|liefert)\b(?:.*\b(?:nicht|nichts|keine?n?)\b"
    r"|\W*$)",
    rf"^(?:leider\s+)?(?:in|aus)\s+(?:den|dem)\s+(?:\w+en\s+)?{_QUELLEN}\s+(?:steht|stehen|wird|werden|geht|gehen|finde[nt]?|"
    r"gibt|ist|sind)\b.*\b(?:nichts|nicht|keine?n?)\b",
    rf"^(?:dazu|hierzu|darüber)\b.*\b(?:nichts|nicht|keine?n?)\b(?:.*\b{_QUELLEN}\b)?\W*$",
    r"^(?:leider\s+)?(?:das\s+)?(?:weiß|weiss)\s+ich\s+(?:leider\s+)?nicht\b|^(?:leider\s+)?ich\s+(?:weiß|weiss)\s+(?:\w+\s+)?nicht\b",
    r"^(?:leider\s+)?(?:ich\s+)?(?:kann|konnte|habe|finde)\s+(?:ich\s+)?(?:\w+\s+){0,5}?(?:nicht|nichts|keine)\b.*\b(?:beantworten|"
    r"antwort|information(?:en)?|angaben?|finden|sagen|gefunden)\b",
    rf"^(?:das|dies|es|die\s+frage|die\s+antwort)\b.*\bnicht\b.*\b(?:{_QUELLEN}|beantwort\w+|angegeben|hervor)\W*$",
    rf"^(?:das|dies|es|die\s+antwort)\b.*\bgeht\b.*\b{_QUELLEN}\s+nicht\s+hervor\b",
    r"^(?:es\s+gibt|es\s+liegen)\s+(?:dazu\s+|hierzu\s+|leider\s+)?keine\s+(?:information|angabe|antwort)",
)
_ROMANCE = (
    r"^(?:lo\s+siento\b|no\s+(?:lo\s+)?sé\b|no\s+(?:tengo|encuentro|encontré|hay)\s+(?:\w+\s+)?informaci)",
    r"^no\s+se\s+(?:menciona|indica|especifica|dice)\b.*\b(?:fuentes?|documentos?|textos?|pasajes?|contexto)\b",
    r"^(?:las?|los?|el|ningun[oa]\s+de\s+l[ao]s)\s+(?:fuentes?|documentos?|textos?|pasajes?|contexto)\s+no\s+(?:lo\s+|la\s+)?"
    r"(?:dice|mencion|indica|contien|especific|respond|proporcion)",
    r"^(?:désolée?\b|je\s+ne\s+(?:le\s+)?(?:sais|trouve|dispose)|il\s+n['’]y\s+a\s+pas\s+d['’]information)",
    r"^(?:les?|la|aucune?\s+(?:des|de\s+ces))\s+(?:sources?|documents?|textes?|passages?|contexte)\s+ne\s+(?:le\s+|la\s+)?"
    r"(?:dis|dit|mentionn|contien|précis|répond|fourni|donn)",
    r"^(?:mi\s+dispiace\b|non\s+(?:lo\s+so|ho\s+(?:trovato|informazioni))\b)",
    r"^(?:le|i|il|nessun\w*)\s+(?:fonti|documenti|testo)\s+non\s+(?:lo\s+)?(?:dic|menzion|contien|conteng|specific|rispond)",
    r"^(?:desculpe\b|não\s+(?:sei|encontrei|há\s+informaç|tenho\s+informaç))",
    r"^(?:as|os|o)\s+(?:fontes|documentos|texto)\s+não\s+(?:o\s+)?(?:diz|mencion|cont[eéê]m|especific|respond)",
)
_OTHERS = (
    r"(?:资料|来源|文档|文中|文本|上下文|段落)[^。]{0,8}(?:没有|未|并未)[^。]{0,4}(?:提|说|包含|给出|说明|回答)|^(?:抱歉|对不起|我不知道|无法回答)",
    r"^(?:لا\s+أعرف|لا\s+أعلم|عذرا|لا\s+يمكنني|لا\s+تذكر\s+المصادر|لم\s+تذكر\s+المصادر|لا\s+توجد\s+معلومات)",
)
_REFUSAL = re.compile(
    "|".join(f"(?:{pattern})" for pattern in (*_ENGLISH, *_GERMAN, *_ROMANCE, *_OTHERS)), re.IGNORECASE
)
_LONGEST = 300  # characters that are looked at
_CUE = re.compile(
    r"\bn[o’'ioeã]|n['’]t\b|cannot|\bun|\bin(?:sufficient|\s+de[nm])|fail|sorry|afraid|apolog|keine?|weiß|weiss|dazu|siento|d[ée]sol"
    r"|dispiace|desculpe|[没未抱对我无لع]",
    re.IGNORECASE,
)
_AROUND = re.compile(r"^[\s\"“*_>-]+|\s*\[\d+(?:\s*,\s*\d+)*\]")


def is_refusal(sentence: str) -> bool:
    """Return whether `sentence` says that the sources, or the model, do not have the answer; in English, German and, in
    their most frequent forms, Spanish, French, Italian, Portuguese, Chinese and Arabic.

    >>> is_refusal("The sources do not say when it opens."), is_refusal("The report says that the cause is not known.")
    (True, False)
    """
    if not _CUE.search(sentence):  # which most are without, and it costs a tenth
        return False
    return bool(_REFUSAL.search(_AROUND.sub("", sentence[:_LONGEST])))
