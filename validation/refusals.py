"""Whether a sentence of an answer is a refusal: the model saying that it, or its sources, cannot answer."""

from __future__ import annotations

import re

_SOURCES = (
    r"(?:(?:provided|given|available|cited|above|these|numbered|retrieved)\s+)*"
    r"(?:sources?|documents?|passages?|contexts?|texts?|excerpts?|information|materials?|articles?|snippets?)"
    r"(?:\s+(?:provided|given|available|above|here|\[\d+\]))*"
)
_SAYS = (
    r"(?:say|state|mention|specify|contain|include|provide|give|answer|address|tell|indicate|discuss|describe|explain"
    r"|cover|reveal|have|list|offer|clarify|support|disclose)"
)
_NOT = r"(?:do(?:es)?\s+not|do(?:es)?n['’]t|did\s+not|didn['’]t|cannot|can\s*not|can['’]t|fails?\s+to)"
_PATTERNS = (
    # Who speaks is the model, or what it speaks of are its sources: "The report says that ..." is neither.
    rf"^(?:unfortunately|sorry|however|based\s+on\s+\w+|no),?\s*(?:but\s+)?(?:the|these|your|my)?\s*{_SOURCES}\s+{_NOT}\s+"
    rf"(?:\w+ly\s+)?{_SAYS}\b",
    rf"^(?:the|these|none\s+of\s+the|neither\s+of\s+the|no)\s+{_SOURCES}\s+(?:{_NOT}\s+(?:\w+ly\s+)?{_SAYS}\b"
    r"|(?:says?|states?|mentions?|answers?|contains?|provides?|gives?|addresses|tells?)\s+(?:this|that|it|when|who|what|where|how|why"
    r"|the\s+answer|anything|any)\b|(?:is|are|was)\s+(?:available|provided|given|found|silent|insufficient|not)\b)",
    rf"\b(?:is|are|was|were)\s*(?:not|n['’]t)\s+(?:\w+ly\s+)?(?:mentioned|stated|given|specified|provided|said|found|answered|"
    rf"included|contained|addressed|available|covered|discussed|described)\s+(?:in|by)\s+(?:the|any\s+of\s+the|these|this)\s+{_SOURCES}",
    rf"\b(?:not\s+enough|no|insufficient|any)\s+(?:\w+\s+)?information\b.*\b(?:in|from|by)\s+(?:the|these)\s+{_SOURCES}",
    rf"^(?:according\s+to|based\s+on)\s+the\s+{_SOURCES},?\s*(?:there\s+is\s+no\s+(?:answer|information)|i\s+(?:cannot|can['’]t|do\s+not|don['’]t))",
    r"^(?:there\s+is|there['’]s|there\s+was)\s+(?:no|not\s+enough|insufficient)\s+(?:\w+\s+){0,2}information\b",
    r"^(?:(?:i['’]?m|i\s+am)\s+)?(?:sorry|afraid)\b.*\bi\b.*\b(?:not|n['’]t|cannot|unable|no)\b",
    r"^(?:unfortunately,?\s+|sorry,?\s+(?:but\s+)?|based\s+on\s+.{3,40},\s*|however,?\s+)?i\s+(?:really\s+|just\s+)?"
    r"(?:do\s+not|don['’]t|did\s*n['’]t|did\s+not|cannot|can\s*not|can['’]t|could\s*n['’]t|could\s+not|am\s+(?:not\s+able|unable)"
    r"|['’]?m\s+(?:not\s+able|unable|not\s+sure)|have\s+no|was\s+(?:not\s+able|unable))\s+"
    r"(?:to\s+)?(?:\w+ly\s+)?(?:know|have|find|answer|see|say|tell|provide|determine|locate|information|idea|any|sure|give|specify)?\b",
    r"^(?:unknown|unanswerable|not\s+(?:specified|mentioned|stated|known|provided|given|available|answerable)|no\s+answer|n/a"
    r"|i\s+don['’]?t\s+know)\W*$",
    r"^(?:it|this|that|the\s+answer|the\s+question|the\s+information)\s+(?:is|was)\s*(?:not|n['’]t)\s+"
    r"(?:\w+ly\s+)?(?:mentioned|stated|specified|given|answered|provided|found|possible\s+to\s+(?:say|answer|tell|determine))"
    r"\W*(?:$|in\b|here\b|from\b|by\b)",
    r"^(?:the\s+)?(?:question|this)\s+(?:cannot|can\s*not|can['’]t)\s+be\s+answered\b",
    r"^it\s+(?:cannot|can\s*not|can['’]t)\s+be\s+(?:determined|answered|said)\b",
    # German
    r"^(?:leider\s+)?(?:die|den|der|in\s+den|aus\s+den|keine\s+der|das)\s+(?:\w+en\s+)?(?:quellen?|dokumente[ns]?|texte?n?|"
    r"passagen?|unterlagen|kontext)\b[^.]*\b(?:nicht|nichts|keine?n?)\b",
    r"^(?:das\s+)?(?:weiß|weiss)\s+ich\s+(?:leider\s+)?nicht\b|^(?:leider\s+)?(?:ich\s+)?(?:weiß|weiss|kann|konnte|habe|finde)\s+"
    r"(?:ich\s+)?(?:\w+\s+){0,5}?(?:nicht|keine?n?)\b",
    r"^(?:das|dies|es|die\s+frage|die\s+antwort)\s+(?:steht|wird|geht|ist|kann|lässt\s+sich)\b[^.]*\bnicht\b[^.]*"
    r"\b(?:quellen?|dokumente?n?|texte?n?|hervor|beantwort\w+|angegeben)\b",
    # Spanish, French, Italian, Portuguese
    r"^(?:lo\s+siento|no\s+(?:lo\s+)?(?:sé|tengo|puedo|encuentro|encontré|hay\s+información|se\s+(?:menciona|indica|especifica|dice)))\b",
    r"^(?:las?|los?|el|ningun[oa]\s+de\s+l[ao]s)\s+(?:fuentes?|documentos?|textos?|pasajes?|contexto)\s+no\b",
    r"^(?:désolée?|je\s+ne\s+(?:sais|peux|trouve|dispose)|il\s+n['’]y\s+a\s+pas\s+d['’]information)",
    r"^(?:les?|la|aucune?\s+(?:des|de\s+ces))\s+(?:sources?|documents?|textes?|passages?|contexte)\s+ne\b",
    r"^(?:mi\s+dispiace|non\s+(?:lo\s+so|posso|trovo|ho\s+(?:trovato|informazioni)))\b|^(?:le|i|il)\s+(?:fonti|documenti|testo)\s+non\b",
    r"^(?:desculpe|não\s+(?:sei|posso|encontrei|tenho|há\s+informaç))|^(?:as|os|o)\s+(?:fontes|documentos|texto)\s+não\b",
    # Chinese and Arabic
    r"(?:资料|来源|文档|文中|文本|上下文|文章|段落)[^。]{0,8}(?:没有|未|并未|不)[^。]{0,4}(?:提|说|包含|给出|说明|回答)|^(?:抱歉|对不起|我不知道|无法回答)",
    r"^(?:لا\s+أعرف|لا\s+أعلم|عذرا|لا\s+يمكنني|لا\s+تذكر|لم\s+تذكر|لا\s+توجد\s+معلومات)",
)
_REFUSAL = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)
_AROUND = re.compile(r"^[\s\"“*_>-]+|\s*\[\d+(?:\s*,\s*\d+)*\]")


def is_refusal(sentence: str) -> bool:
    """Return whether `sentence` says that the sources, or the model, do not have the answer; in English, German and, in
    their most frequent forms, Spanish, French, Italian, Portuguese, Chinese and Arabic.

    >>> is_refusal("The sources do not say when it opens."), is_refusal("The report says that the cause is not known.")
    (True, False)
    """
    return bool(_REFUSAL.search(_AROUND.sub("", sentence)))
