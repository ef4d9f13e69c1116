"""Text comes out as it was typed, whatever it was saved in."""

import pytest

from ingestion.parsing.text_decoding import decode_text

GERMAN = "Die Gebühr beträgt 12 € für größere Mengen – „Übermaß“ ist möglich."
RUSSIAN = "Гарантия на изделие действует двадцать четыре месяца со дня покупки. Сохраните чек до конца срока. " * 3
JAPANESE = "保証期間は購入日から二十四か月です。領収書を保管してください。修理は無料で行います。" * 3


@pytest.mark.parametrize("text", [GERMAN, RUSSIAN, JAPANESE], ids=["german", "russian", "japanese"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known_by_the_zero_bytes_of_latin_letters(encoding: str) -> None:
    assert decode_text(GERMAN.encode(encoding)) == GERMAN


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        ("Café", "latin-1"),
        ("El niño comió piñas", "latin-1"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        ("Umowa została zawarta w Łodzi, ślad i źródło", "iso8859-2"),
        ("Umowa została zawarta w Łodzi, ślad i źródło", "cp1250"),
        ("Smlouva byla uzavřena v Českých Budějovicích", "iso8859-2"),
        ("Árvíztűrő tükörfúrógép", "cp1250"),
        ("Sözleşme yılı sonuna kadar geçerlidir, şirket ığdır", "cp1254"),
        ("Größe und Übermaß", "cp850"),
        ("Größe und Übermaß", "mac-roman"),
        ("Η σύμβαση ισχύει από την υπογραφή της", "iso8859-7"),
        ("Договор вступает в силу", "cp866"),
        ("ההסכם נכנס לתוקף עם חתימתו", "cp1255"),
        ("يدخل العقد حيز التنفيذ من لحظة التوقيع", "cp1256"),
        ("“Quoted” – it’s 5 €…", "cp1252"),
        ("ÜBER UNS", "latin-1"),
        ("20°C ±5", "latin-1"),
    ],
)
def test_older_encodings(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding)) == text


def test_a_declared_encoding_is_believed_in_markup_only() -> None:
    page = '<meta charset="iso-8859-7"><p>Εγγύηση</p>'
    assert decode_text(page.encode("iso-8859-7"), markup=True) == page
    german = '<meta charset="iso-8859-7"><p>Größe</p>'
    assert decode_text(german.encode("cp1252")) == german
    assert decode_text(german.encode("cp1252"), markup=True) != german


def test_a_wrong_or_unknown_declaration_is_passed_over() -> None:
    assert decode_text("<meta charset='no-such'>é".encode(), markup=True).endswith("é")
    assert decode_text(b"<meta charset='no-such'>\xe9", markup=True).endswith("é")


def test_one_damaged_byte_does_not_turn_utf8_into_mojibake() -> None:
    damaged = GERMAN.encode() + b"\xff" + GERMAN.encode()
    assert decode_text(damaged) == GERMAN + "\ufffd" + GERMAN


def test_line_ends_become_newlines() -> None:
    assert decode_text(b"a\r\nb\rc\n") == "a\nb\nc\n"
