"""Makes Unstructured work without a network: no usage reports, no notice, no model fetched at first use.

Unstructured asks spaCy for ``en_core_web_sm`` to tell sentences from headings, and downloads that model when it is
missing. Here it gets a blank English pipeline with rule-based sentence ends instead. The blank pipeline knows no
parts of speech, and a text without a verb would count as a heading, so every word written in lower case is taken for
a verb: in doubt a text is prose, and only Capitalised Lines are guessed to be headings.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import Any

_lock = threading.Lock()


def prepare_unstructured() -> None:
    """Set Unstructured up; to be called before anything of it is imported. Safe in threads, cheap when repeated."""
    with _lock:
        # Read by Unstructured when it is imported, and at every call.
        os.environ["SCARF_NO_ANALYTICS"] = "true"
        os.environ["DO_NOT_TRACK"] = "true"
        os.environ["UNSTRUCTURED_DISABLE_NOTICE"] = "1"
        from unstructured.nlp import tokenize

        # The only place where it loads the model; there is no setting for it.
        tokenize._get_nlp = _rule_based_english


@functools.lru_cache(maxsize=1)
def _rule_based_english() -> Any:
    import spacy
    from spacy.language import Language

    def assume_verbs(doc: Any) -> Any:
        for token in doc:
            token.tag_ = "VB" if token.is_alpha and token.is_lower else "NN"
        return doc

    Language.component("footnote_assume_verbs", func=assume_verbs)
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("footnote_assume_verbs")
    return pipeline
