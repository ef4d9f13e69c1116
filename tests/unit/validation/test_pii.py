"""Personal data is found by shape and checksum; ordinary numbers stay."""

import time
from itertools import pairwise

import pytest

from validation.guardrails.guardrails_offline import offline_guard, silence_guardrails
from validation.personal_data.pii import DEFAULT_KINDS, PiiKind, find_pii, redact, same_contact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Write to anna.b@example.org.", "Write to [email]."),
        ("Card 4111 1111 1111 1111, thanks", "Card [card], thanks"),
        ("Card 4111-1111-1111-1111", "Card [card]"),
        ("IBAN DE89 3704 0044 0532 0130 00 IS MINE", "IBAN [iban] IS MINE"),
        ("IBAN CH9300762011623852957", "IBAN [iban]"),
        ("SSN 123-45-6789.", "SSN [ssn]."),
        ("My SSN is 123 45 6789.", "My SSN is [ssn]."),
        ("Call +41 44 668 18 00 or (212) 736-5000", "Call [phone] or [phone]"),
        ("You can call 73 448 266", "You can call [phone]"),
        ("Ring me on 0650 995 04 94!", "Ring me on [phone]!"),
        ("223-087-9502 fax\n001-321-194-8268x44208 mobile", "[phone] fax\n[phone] mobile"),
        ("06-10446904-Office\\,636.840.1227-Fax", "[phone]-Office\\,[phone]-Fax"),
        ("My server is 160.67.237.27.", "My server is [ip]."),
        ("From 4f8a:c99e:dc86:faf9:5988:5f63:375e:8a2a", "From [ip]"),
        ("My driver's license number is A125325867.", "My driver's license number is [driver_license]."),
        ("Karte ４１１１ １１１１ １１１１ １１１１", "Karte [card]"),
        ("اتصل +٤١ ٤٤ ٦٦٨ ١٨ ٠٠", "اتصل [phone]"),
        ("Tel. 044–668–18–00", "Tel. [phone]"),
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
        "Call us about order 123 456 789.",
        "Columbus (October, 1947) 440 1997",
        "200 201 24 25",
        "Trio in A minor, Stiles 1.2.2.1",
        "Version 10.15.7.2 at 127.0.0.1",
        "The range 2607:6bc0::/48",
        "I lost my driver's license in 2019.",
        "@ 5 pm",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert find_pii(text) == ()


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("See http://www.visualtrips.hu/ or example.org.", PiiKind.URL, ["http://www.visualtrips.hu/", "example.org"]),
        ("Born 2/7/1961, on Saturday, 3 May 2021.", PiiKind.DATE, ["2/7/1961", "Saturday", "3 May 2021"]),
        ("A 50 year old man, aged 51", PiiKind.AGE, ["50 year old", "51"]),
        ("A Thai place and two Germans", PiiKind.NATIONALITY, ["Thai", "Germans"]),
        ("My name is Andrew Arnoux.", PiiKind.PERSON, ["Andrew Arnoux"]),
        ("I was born in Slovenia.", PiiKind.LOCATION, ["Slovenia"]),
        ("How do I reset my password?", PiiKind.PERSON, []),
    ],
)
def test_other_kinds_are_found_when_asked_for(text: str, kind: PiiKind, found: list[str]) -> None:
    assert [text[finding.start : finding.end] for finding in find_pii(text, [kind])] == found
    assert find_pii(text) == ()


def test_findings_do_not_overlap_and_the_surer_kind_wins() -> None:
    text = "anna@example.org, http://example.org/4111111111111111 and 12 March 1999"
    findings = find_pii(text, list(PiiKind))
    assert [finding.kind for finding in findings] == [PiiKind.EMAIL, PiiKind.CARD, PiiKind.DATE]
    assert all(one.end <= other.start for one, other in pairwise(findings))


@pytest.mark.parametrize("piece", ["1 ", "12-", "a@", "a.", "GB82 ", "1:", "(1", "driver license ", "٤", "a:b:"])
def test_time_grows_with_length_alone(piece: str) -> None:
    began = time.thread_time()
    find_pii(piece * (20_000 // len(piece)), DEFAULT_KINDS | {PiiKind.URL, PiiKind.DATE, PiiKind.AGE})
    assert time.thread_time() - began < 2


def test_names_are_found_all_through_a_long_text() -> None:
    text = "My name is Andrew Arnoux and I live in Slovenia. " * 150
    assert sum(finding.kind is PiiKind.PERSON for finding in find_pii(text, list(PiiKind))) >= 140


def test_contacts_compare_whatever_their_style() -> None:
    assert same_contact("+41 44 668 18 00") == same_contact("0041-44-668-1800")
    assert same_contact("Anna@Example.org") == same_contact("anna@example.org")


def test_in_a_plain_guard() -> None:
    silence_guardrails()
    from validation.guardrails.guardrails_personal_data import PersonalData

    text = "Write to a@example.org or b@example.org, card 4111 1111 1111 1111."
    assert offline_guard(PersonalData(kinds=["email"])).validate(text).validated_output == (
        "Write to [email] or [email], card 4111 1111 1111 1111."
    )
    shown = offline_guard(PersonalData(allow_shown=True)).validate(text, metadata={"passages": [text[:22]]})
    assert shown.validated_output == "Write to a@example.org or [email], card [card]."
    with pytest.raises(ValueError, match="no such kind"):
        PersonalData(kinds=["shoe_size"])


def test_the_error_spans_name_the_kinds() -> None:
    silence_guardrails()
    from validation.guardrails.guardrails_personal_data import PersonalData

    result = PersonalData().validate("a@example.org", {})
    assert [(span.start, span.end, span.reason) for span in result.error_spans] == [(0, 13, "email")]
    names = PersonalData(kinds=["person"], allow_shown=True)
    assert names.validate("Anna Smith called.", {"passages": ["Anna Smith lives here."]}).outcome == "pass"
    assert names.validate("Anna Smith called.", {"passages": ["Joanna Smithson lives here."]}).outcome == "fail"
