"""What is a model's refusal, and what only sounds like one."""

import pytest

from validation.support.refusals import is_refusal


@pytest.mark.parametrize(
    "sentence",
    [
        "The sources do not say.",
        "Not mentioned in the text.",
        "I don't know.",
        "I do not have that information.",
        "The provided documents don't mention the price of beds [1].",
        "Unfortunately, the sources do not contain information about this.",
        "The opening date is not mentioned in the sources.",
        "There is no information about the ski pass in the given passages.",
        "I'm sorry, but I cannot answer that.",
        "I am sorry that I do not have information, either.",
        "None of the sources mention this.",
        "The question cannot be answered from the sources.",
        "Not specified.",
        "Die Quellen sagen dazu nichts.",
        "Das steht nicht in den Quellen.",
        "Ich weiß es nicht.",
        "Dazu finde ich keine Angaben in den Quellen.",
        "Las fuentes no lo mencionan.",
        "Les sources ne le disent pas.",
        "资料中没有提到这一点。",
    ],
)
def test_refusals(sentence: str) -> None:
    assert is_refusal(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The report says that the cause is not known.",
        "The cause of the fire is not known.",
        "Dogs are not allowed.",
        "The contract does not include insurance.",
        "The information was given to the police.",
        "He did not know the answer.",
        "I have no idea whether he came, wrote the baron.",
        "The question of who started the war is not answered by historians.",
        "Documents are not accepted after May.",
        "The form does not mention the fee.",
        "There is no entry fee.",
        "The document is not provided to guests.",
        "Die Dokumente müssen nicht unterschrieben werden.",
        "Das Dokument ist nicht gültig.",
        "Los documentos no se aceptan después de mayo.",
        "",
    ],
)
def test_facts_are_no_refusals(sentence: str) -> None:
    assert not is_refusal(sentence)


def test_a_looping_sentence_takes_no_time() -> None:
    assert not is_refusal("no " + "based on abc " * 20 + "xyz")
