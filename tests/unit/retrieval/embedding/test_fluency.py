"""How well a vocabulary knows a language."""

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from retrieval.embedding.fluency import Fluency
from retrieval.embedding.sentence_transformers_embedder import packaged_model


@pytest.fixture(scope="module")
def english() -> Fluency:
    return Fluency(Tokenizer.from_file(str(packaged_model() / "tokenizer.json")))


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("When does the last tram to the harbour leave?", 1.0, 1.0),
        ("0-dimensional biomaterials show inductive properties.", 0.85, 1.0),
        ("Wann fährt die letzte Straßenbahn zum Hafen ab?", 0.4, 0.85),
        ("¿A qué hora sale el último tranvía hacia el puerto?", 0.4, 0.85),
        ("Когда отправляется последний трамвай?", 0.0, 0.1),
        ("متى يغادر آخر ترام إلى الميناء؟", 0.0, 0.1),
        ("末班电车几点开往港口？", 0.0, 0.1),
        ("港行きの最終電車は何時ですか", 0.0, 0.1),
        ("항구로 가는 마지막 전차는 언제 출발합니까?", 0.0, 0.1),
        ("10-4 = 6 ?", 1.0, 1.0),
        ("", 1.0, 1.0),
    ],
)
def test_an_english_vocabulary(english: Fluency, text: str, least: float, most: float) -> None:
    assert least <= english.share(text) <= most


def test_a_vocabulary_with_thousands_of_ideographs_reads_them() -> None:
    vocabulary = {"[UNK]": 0} | {chr(0x4E00 + n): n + 1 for n in range(3000)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fluency = Fluency(tokenizer)
    assert fluency.share("一丁 七") == 1
    assert fluency.share("一龠") == 0.5  # the second one is not in it
