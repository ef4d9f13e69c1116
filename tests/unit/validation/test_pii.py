"""Personal data is found by shape and checksum; ordinary numbers stay."""

import pytest

from validation.pii import find_pii, redact, same_contact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Write to anna.b@example.org.", "Write to [email]."),
        ("Card 4111 1111 1111 1111, thanks", "Card [card], thanks"),
        ("Card 4111-1111-1111-1111", "Card [card]"),
        ("IBAN DE89 3704 0044 0532 0130 00 IS MINE", "IBAN [iban] IS MINE"),
        ("IBAN CH9300762011623852957", "IBAN [iban]"),
        ("SSN 123-45-6789.", "SSN [ssn]."),
        ("Call +41 44 668 18 00 or (212) 736-5000", "Call [phone] or [phone]"),
    ],
)
def test_personal_data_is_replaced(text: str, redacted: str) -> None:
    assert redact(text, find_pii(text)) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "Card 4111 1111 1111 1112",
        "IBAN GB82 WEST 1234 5698 7654 33",
        "SSN 000-45-6789",
        "It opened on 2024-05-01 and had 1,234,567 visitors in 2019-2020.",
        "ISBN 978-3-16-148410-0",
        "Order 4012888812345678",
        "@ 5 pm",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert find_pii(text) == ()


def test_contacts_compare_whatever_their_style() -> None:
    assert same_contact("+41 44 668 18 00") == same_contact("0041-44-668-1800")
    assert same_contact("Anna@Example.org") == same_contact("anna@example.org")
