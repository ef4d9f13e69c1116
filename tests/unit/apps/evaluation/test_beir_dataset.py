"""Reading datasets: what is used, what is left out and counted, and which line an error names."""

import gzip
import json
from pathlib import Path

import pytest

from apps.evaluation.beir_dataset import read_dataset
from contracts import InvalidInputError
from tests.beir_folder import CORPUS, QRELS, QUERIES, write_dataset

HEADER = "query-id\tcorpus-id\tscore\n"


def test_a_dataset_is_read_with_its_queries_and_grades(tmp_path: Path) -> None:
    read = read_dataset(write_dataset(tmp_path / "trams"))
    assert (read.name, read.split, read.documents) == ("trams", "test", 4)
    assert read.queries["q2"] == "tram to the museum"
    assert read.qrels["q1"] == {"ferry": 2, "cable": 1}
    assert [passage.id for passage in read.passages()] == [row["_id"] for row in CORPUS]
    assert not any(read.left_out.values())


def test_the_digest_is_of_the_corpus_whatever_its_file(tmp_path: Path) -> None:
    plain = write_dataset(tmp_path / "plain")
    packed = write_dataset(tmp_path / "packed", queries=QUERIES[:2])
    (packed / "corpus.jsonl.gz").write_bytes(gzip.compress((packed / "corpus.jsonl").read_bytes()))
    (packed / "corpus.jsonl").unlink()
    other = write_dataset(tmp_path / "other", corpus=[*CORPUS[:3], {**CORPUS[3], "title": "Bus"}])
    assert read_dataset(plain).digest == read_dataset(packed).digest != read_dataset(other).digest


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    folder = write_dataset(
        tmp_path / "d",
        corpus=[*CORPUS, {"_id": "empty", "title": " ", "text": ""}, {"_id": "tram", "text": "again"}],
        queries=[*QUERIES, QUERIES[0], {"_id": "q4", "text": "asked, not judged"}, {"_id": "q5", "text": "no good"}],
        test=QRELS + "q2\tnowhere\t1\nq5\tferry\t0\nq9\tferry\t1\nq1\tcable\t3\n",
    )
    read = read_dataset(folder)
    assert list(read.queries) == list(read.qrels) == ["q1", "q2", "q3"]
    assert read.qrels["q1"]["cable"] == 3
    assert read.qrels["q2"] == {"tram": 1, "nowhere": 1}
    assert {name: count for name, count in read.left_out.items() if count} == {
        "empty_documents": 1,
        "repeated_documents": 1,
        "repeated_queries": 1,
        "repeated_judgements": 1,
        "queries_without_judgements": 1,
        "queries_without_relevant_documents": 1,
        "judged_queries_without_text": 1,
        "judgements_without_document": 1,
    }


def test_the_only_split_is_taken_and_another_must_be_named(tmp_path: Path) -> None:
    assert read_dataset(write_dataset(tmp_path / "one", dev=QRELS)).split == "dev"
    two = write_dataset(tmp_path / "two", dev=QRELS, train=QRELS)
    assert read_dataset(two, "train").split == read_dataset(two, "train.tsv").split == "train"
    for split in ("", "tset"):
        with pytest.raises(InvalidInputError, match="--split: dev, train"):
            read_dataset(two, split)


def test_queries_may_be_in_another_file_there_or_elsewhere(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d")
    (folder / "queries_short.jsonl").write_text('{"_id": "q2", "text": "tram"}\n')
    assert read_dataset(folder, queries=Path("queries_short.jsonl")).queries == {"q2": "tram"}
    assert read_dataset(folder, queries=folder / "queries_short.jsonl").queries == {"q2": "tram"}
    with pytest.raises(InvalidInputError, match=r"queries\.jsonl, queries_short\.jsonl"):
        read_dataset(folder, queries=Path("queries_long.jsonl"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"_id": "1", "text": ', "no JSON"),
        ("[1]", "an object"),
        ('{"id": "1", "text": "x"}', "'_id' is missing"),
        ('{"_id": "1", "contents": "x"}', "'text' is missing"),
        ('{"_id": "1", "text": ["x"]}', "must be strings"),
        ('{"_id": "1", "text": "\xff"}', "no JSON"),
    ],
)
def test_a_wrong_row_is_named_by_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    folder = write_dataset(tmp_path / "d")
    (folder / "corpus.jsonl").write_bytes(json.dumps(CORPUS[0]).encode() + b"\n\n" + line.encode("latin-1") + b"\n")
    with pytest.raises(InvalidInputError, match=rf"corpus\.jsonl', line 3: .*{said}"):
        read_dataset(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "q1\tferry\n", "line 2: query-id, corpus-id and score"),
        (HEADER + "q1 0 ferry 1\n", "line 2: query-id, corpus-id and score"),
        (HEADER + "q1\tferry\tgood\n", "line 2: the score 'good'"),
        (HEADER + "q1\tferry\t0.5\n", "line 2: the score '0.5'"),
        (HEADER, "holds no judgements"),
        (HEADER + "1\tferry\t1\n", "ids such as 'q1', 'q2', the other '1'"),
    ],
)
def test_wrong_judgements_are_named_by_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_dataset(write_dataset(tmp_path / "d", test=text))


def test_judgements_need_no_header(tmp_path: Path) -> None:
    read = read_dataset(write_dataset(tmp_path / "d", test=QRELS.removeprefix(HEADER).replace("\t1\n", "\t1.0\r\n")))
    assert read.qrels == {"q1": {"ferry": 2, "cable": 1}, "q2": {"tram": 1}, "q3": {"bus": 1}}


def test_what_is_missing_is_said_with_a_way_out(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "outer" / "inner")
    with pytest.raises(InvalidInputError, match="is not a folder"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match=r"Did you mean .*inner"):
        read_dataset(tmp_path / "outer")
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(InvalidInputError, match=r"qrels' holds no \.tsv file"):
        read_dataset(folder)
    (folder / "queries.jsonl").unlink()
    with pytest.raises(InvalidInputError, match=r"holds no queries\.jsonl"):
        read_dataset(folder)
    (folder / "corpus.jsonl").write_text("")
    (folder / "queries.jsonl").write_text("")
    (folder / "qrels" / "test.tsv").write_text(QRELS)
    with pytest.raises(InvalidInputError, match="holds no documents"):
        read_dataset(folder)


def test_a_broken_archive_is_an_error_that_names_it(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d")
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress((folder / "corpus.jsonl").read_bytes())[:-12])
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(InvalidInputError, match=r"corpus\.jsonl\.gz' cannot be read"):
        read_dataset(folder)


def test_a_text_that_cannot_be_stored_is_mended(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", corpus='{"_id": "ferry", "text": "half a pair: \\ud800"}\n')
    assert next(read_dataset(folder).passages()).text == "half a pair: ?"


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(tmp_path: Path) -> None:
    read = read_dataset(write_dataset(tmp_path / "d"))
    assert read.sample(2, seed=1).queries == read.sample(2, seed=1).queries
    assert {tuple(read.sample(2, seed).queries) for seed in range(9)} == {("q1", "q2"), ("q1", "q3"), ("q2", "q3")}
    assert list(read.sample(1, 0).qrels) == list(read.sample(1, 0).queries)
    assert read.sample(10, 0) is read
