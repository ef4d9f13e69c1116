"""The names and shapes that MLflow reads."""

import json
from typing import Any

from contracts import Usage, Violation
from observability.mlflow_attributes import MAX_ID, MAX_TEXT, opening_attributes, to_attributes


def recorded(**values: Any) -> dict[str, Any]:
    return dict(to_attributes(values, record_text=True))


def test_the_root_is_a_chain_whatever_its_name() -> None:
    assert opening_attributes("generate", root=True) == {"mlflow.spanType": "CHAIN"}


def test_stages_get_their_type_from_their_name() -> None:
    kinds = {name: opening_attributes(name, root=False)["mlflow.spanType"] for name in ("embed", "retrieve", "cache")}
    assert kinds == {"embed": "EMBEDDING", "retrieve": "RETRIEVER", "cache": "TASK"}
    assert opening_attributes("generate", root=False) == {
        "mlflow.spanType": "CHAT_MODEL",
        "gen_ai.operation.name": "chat",
    }


def test_inputs_and_outputs_are_json_with_their_letters_unescaped() -> None:
    found = recorded(inputs={"question": "Où est la pièce?"}, outputs=[Violation("pii", "an address")])
    assert found["mlflow.spanInputs"] == '{"question": "Où est la pièce?"}'
    assert json.loads(found["mlflow.spanOutputs"]) == [{"rule": "pii", "message": "an address", "action": "block"}]


def test_the_version_of_the_prompt_is_a_tag_of_the_trace() -> None:
    found = recorded(prompt_version="grounded-1")
    assert found == {"prompt_version": "grounded-1", "mlflow.traceTag.prompt_version": "grounded-1"}


def test_usage_session_user_and_model_get_their_standard_names() -> None:
    found = recorded(usage=Usage(12, 3), conversation_id="c1", principal="ana", model="smol", cache="miss", hits=3)
    assert found == {
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "session.id": "c1",
        "gen_ai.conversation.id": "c1",
        "user.id": "ana",
        "gen_ai.request.model": "smol",
        "cache": "miss",
        "hits": 3,
    }


def test_ids_that_mlflow_would_refuse_are_cut() -> None:
    assert len(recorded(session="s" * 1000)["session.id"]) == MAX_ID


def test_what_is_not_known_is_left_out() -> None:
    assert recorded(session=None, usage=None, inputs=None) == {}


def test_huge_text_is_cut_to_valid_json_that_says_so() -> None:
    cut = json.loads(recorded(outputs="x" * 1_000_000)["mlflow.spanOutputs"])
    assert len(cut["truncated"]) == MAX_TEXT
    assert cut["chars"] == 1_000_002


def test_lone_surrogates_are_replaced_since_protobuf_refuses_them() -> None:
    for value in recorded(inputs={"q": "a\ud800b"}, session="\ud800", label="\ud800").values():
        assert value.encode("utf-8")


def test_without_text_only_sizes_and_numbers_are_recorded() -> None:
    secret = {"question": "my diagnosis", "hits": [{"text": "page of a letter", "score": 0.5}], "top_k": 8}
    found = to_attributes({"inputs": secret, "outputs": "the answer"}, record_text=False)
    assert json.loads(str(found["mlflow.spanInputs"])) == {
        "question": "<12 characters>",
        "hits": [{"text": "<16 characters>", "score": 0.5}],
        "top_k": 8,
    }
    assert found["mlflow.spanOutputs"] == '"<10 characters>"'
