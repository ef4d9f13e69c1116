"""Policy files: what they may say, how they are joined, and what is refused."""

from pathlib import Path

import pytest

from contracts import ConfigurationError
from validation.policy import Rule, policy_files, read_policy


def written(folder: Path, **files: str) -> tuple[Path, Path]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return policy_files(folder, "contracts")


def named(rules: tuple[Rule, ...]) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}


def test_without_files_the_shipped_policy_holds(tmp_path: Path) -> None:
    policy = read_policy(*written(tmp_path / "nowhere"))
    assert named(policy.output)["supported"] == Rule("supported", "drop", {"min_support": 0.6})
    assert named(policy.output)["secrets"].on_fail == "block"
    assert "topics" not in named(policy.input)
    assert {rule.name: rule.on_fail for rule in policy.passages}["hidden_text"] == "quarantine"


def test_a_collections_file_names_only_what_differs(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        default="output:\n  supported: {min_support: 0.7}\n  secrets: off\n",
        contracts="output:\n  supported: {on_fail: flag}\n  banned_words: {words: [acme], on_fail: redact}\n",
    )
    rules = named(read_policy(*files).output)
    assert rules["supported"] == Rule("supported", "flag", {"min_support": 0.7})
    assert rules["banned_words"] == Rule("banned_words", "redact", {"words": ["acme"]})
    assert "secrets" not in rules


def test_the_version_follows_what_is_said_and_nothing_else(tmp_path: Path) -> None:
    before = read_policy(*written(tmp_path)).version
    assert read_policy(*written(tmp_path, contracts="# nothing\n")).version == before
    assert read_policy(*written(tmp_path, contracts="input:\n  question_form: {max_chars: 10}\n")).version != before


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("inptu: {}", "must have the parts input, passages, output"),
        ("- a list", "must have the parts"),
        ("input: [a]", "'input' must map rules"),
        ("input:\n  personal_data: true", "input.personal_data is True"),
        (
            "input:\n  personal_data: {on_fail: drop}",
            "on_fail of input.personal_data must be one of block, redact, flag",
        ),
        ("passages:\n  hidden_text: {on_fail: block}", "must be one of fence, quarantine"),
        ("output:\n  some.where.Validator: {}", "does not say what on_fail of output.some.where.Validator is"),
        ("output: {", "cannot be read"),
        ("\udcff", "cannot be read"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(tmp_path: Path, said: str, complaint: str) -> None:
    (tmp_path / "contracts.yaml").write_bytes(said.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError, match=complaint):
        read_policy(*policy_files(tmp_path, "contracts"))
