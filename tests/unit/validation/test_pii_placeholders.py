"""Placeholders stand for personal data and give it back."""

import pytest

from validation.personal_data.pii import Finding, PiiKind, find_pii
from validation.personal_data.pii_placeholders import placeholders, restore


def test_each_value_has_its_own_placeholder_and_the_same_one_everywhere() -> None:
    text = "Write to a@example.org, b@example.org or A@example.org; call +41 44 668 18 00 or +41-44-668-18-00."
    redacted, mapping = placeholders(text, find_pii(text))
    assert redacted == "Write to [email_1], [email_2] or [email_1]; call [phone_1] or [phone_1]."
    assert mapping == {"[email_1]": "a@example.org", "[email_2]": "b@example.org", "[phone_1]": "+41 44 668 18 00"}


def test_numbers_go_on_where_an_earlier_text_ended() -> None:
    _, mapping = placeholders("a@example.org", find_pii("a@example.org"))
    text = "b@example.org and a@example.org"
    redacted, after = placeholders(text, find_pii(text), mapping)
    assert redacted == "[email_2] and [email_1]"
    assert set(after) == {"[email_1]", "[email_2]"}
    assert set(mapping) == {"[email_1]"}


def test_what_the_text_already_calls_itself_is_not_given_out() -> None:
    text = "What does [EMAIL_1] mean? I am a@example.org."
    redacted, mapping = placeholders(text, find_pii(text))
    assert redacted == "What does [EMAIL_1] mean? I am [email_2]."
    assert restore(redacted, mapping) == text


def test_overlapping_findings_are_replaced_once() -> None:
    findings = [Finding(PiiKind.PHONE, 0, 5), Finding(PiiKind.CARD, 0, 9), Finding(PiiKind.SSN, 4, 11)]
    assert placeholders("123456789 0", findings)[0] == "[card_1] 0"


@pytest.mark.parametrize(
    "written",
    [
        "[email_1]",
        "[EMAIL_1]",
        "email_1",
        "EMAIL_1",
        "[Email 1]",
        r"[email\_1]",
        r"\[email_1\]",
        "<email_1>",
        "{email_1}",
    ],
)
def test_a_placeholder_survives_how_models_write_it(written: str) -> None:
    assert restore(f"I wrote to {written} [1].", {"[email_1]": "a@example.org"}).replace("\\", "") == (
        "I wrote to a@example.org [1]."
    )


@pytest.mark.parametrize(
    "text", ["It says so [1].", "one email 1 day", "my_email_1", "email_12", "[email_2]", "email_1@example.org", ""]
)
def test_other_words_and_citations_stay(text: str) -> None:
    assert restore(text, {"[email_1]": "a@example.org"}) == text


def test_restored_values_are_not_read_again() -> None:
    mapping = {"[email_1]": "[email_2]", "[email_2]": "b@example.org"}
    assert restore("[email_1]", mapping) == "[email_2]"
