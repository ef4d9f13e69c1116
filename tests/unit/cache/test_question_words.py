import pytest

from cache.question_words import question_words


@pytest.mark.parametrize(
    ("text", "asks_for"),
    [
        ("How many people live there?", "count"),
        ("What is the number of people?", "count"),
        ("In 1990, who won?", "person"),
        ("I lost my card, what do I do?", "thing"),
        ("The Normans came from where?", "place"),
        ("how to install it", "way"),
        ("What is the easiest way to install it?", "way"),
        ("How come it failed?", "reason"),
        ("When the flag is set, files are removed.", ""),
        ("It shows what was sold.", ""),
        ("Is it open?", ""),
    ],
)
def test_what_is_asked_for(text: str, asks_for: str) -> None:
    read = question_words(text)
    assert read is not None and read.asks_for == asks_for


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,000 of 12,345,678", ("1000", "12345678")),
        ("v2.10.0 on 2024-01-02 at 10:30", ("10:30", "2.10.0", "2024-01-02")),
        ("-5 and 3-5", ("-5", "3-5")),
        ("two of ٣", ("2", "3")),
        ("m² and ½", ("1", "2", "2")),
    ],
)
def test_numbers(text: str, numbers: tuple[str, ...]) -> None:
    read = question_words(text)
    assert read is not None and read.numbers == numbers


def test_names_and_codes_are_told_by_their_form() -> None:
    read = question_words("Does Dataset.map of Hugging Face read jsonl2 files? The e.g. is left out. GPU too.")
    assert read is not None
    assert read.names == {"dataset.map", "hugging", "face"}
    assert read.codes == {"dataset.map", "jsonl2", "gpu"}


def test_a_title_names_nothing() -> None:
    read = question_words("The Rules For All New Members Of Clubs")
    assert read is not None and read.names == frozenset()


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("What is the refund policy?", True),
        ("Datasets support processing in chunks", True),
        ("Wie hoch ist die Gebühr?", False),
        ("Wat is de hoofdstad van Nederland?", False),
        ("¿Cuál es la capital de Perú?", False),
        ("合同的开始日期是什么?", False),
        ("refund policy", False),
    ],
)
def test_english_is_told_from_other_languages(text: str, english: bool) -> None:
    read = question_words(text)
    assert read is not None and read.english == english
