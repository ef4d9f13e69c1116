"""What the model is asked: whole passages under markers, or the sentences that speak of the question."""

import json
from dataclasses import replace

from contracts import ElementKind, Hit, Message
from serving.langchain_prompts import LangChainPromptBuilder
from serving.sentence_focus import focus
from tests.library import hit

PRICES = replace(
    hit("prices", "| Item | Price |\n| --- | --- |\n| Soup | 4 euros |\n| Packed lunch | 9.50 euros |"),
    chunk=replace(
        hit("prices", "x").chunk,
        text="| Item | Price |\n| --- | --- |\n| Soup | 4 euros |\n| Packed lunch | 9.50 euros |",
        kind=ElementKind.TABLE,
    ),
)
HUT = hit("hut", "The hut has 60 beds. Quiet hours are from 22:00 to 06:00. Boots stay in the boot room.")


def test_each_source_stands_under_its_marker_and_the_question_comes_last() -> None:
    prompt = LangChainPromptBuilder().build("When are quiet hours?", [HUT, PRICES], [])
    system, user = prompt.messages
    assert (system.role, user.role) == ("system", "user")
    first, second = user.content.index('<source id="1" title="Hut">'), user.content.index('<source id="2"')
    assert first < second < user.content.index("When are quiet")
    assert prompt.sources == (HUT, PRICES)


def test_sources_come_before_the_history_and_roles_alternate() -> None:
    history = [Message("user", "How many {beds}?"), Message("assistant", "It has 60 beds [1][2].")]
    prompt = LangChainPromptBuilder().build("And quiet hours?", [HUT], history)
    assert [message.role for message in prompt.messages] == ["system", "user", "assistant", "user"]
    assert prompt.messages[1].content.endswith("</source>\n\nQuestion: How many {beds}?")
    assert prompt.messages[3].content == "Question: And quiet hours?"


def test_markers_of_earlier_answers_are_left_out_for_they_mean_other_sources_now() -> None:
    history = [Message("user", "How many beds?"), Message("assistant", "It has 60 beds [1][2].")]
    prompt = LangChainPromptBuilder().build("And quiet hours?", [HUT], history)
    assert prompt.messages[2].content == "It has 60 beds."


def test_a_summary_of_what_was_said_before_stands_before_the_turns() -> None:
    history = [Message("system", "They spoke of huts."), Message("user", "How many beds?"), Message("assistant", "60.")]
    messages = LangChainPromptBuilder().build("And quiet hours?", [HUT], history).messages
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[1].content.index("They spoke of huts.") < messages[1].content.index("How many beds?")


def test_a_follow_up_shares_its_beginning_with_the_question_before() -> None:
    builder = LangChainPromptBuilder()
    first = builder.build("How many beds?", [HUT, PRICES], [])
    history = [Message("user", "How many beds?"), Message("assistant", "It has 60 beds [1].")]
    second = builder.build("And quiet hours?", [HUT], history)
    shared = first.messages[1].content.index("</source>")
    assert first.messages[0] == second.messages[0]
    assert first.messages[1].content[:shared] == second.messages[1].content[:shared]


def test_a_prompt_for_json_carries_the_schema_to_the_model_and_to_the_server() -> None:
    schema = {"type": "object", "properties": {"beds": {"type": "integer"}}}
    prompt = LangChainPromptBuilder().build("How many beds?", [HUT], [], schema=schema)
    assert prompt.schema == schema
    assert json.dumps(schema) in prompt.messages[-1].content
    assert prompt.version.startswith("json-")
    assert prompt.version != LangChainPromptBuilder("brief", focus_sentences=2).build("?", [], [], schema={}).version


def test_every_template_can_be_shown_in_a_registry() -> None:
    builder = LangChainPromptBuilder()
    assert set(builder.texts) == {"grounded", "json"}
    text = builder.texts["grounded"]
    assert text.version == builder.build("?", [], []).version
    assert [message.role for message in text.messages] == ["system", "user"]
    assert "{sources}" in text.messages[1].content


def test_braces_in_documents_and_questions_are_only_text() -> None:
    source = hit("code", "Use {name} and {{other}}.")
    prompt = LangChainPromptBuilder().build("What is {name}?", [source], [])
    assert "Use {name} and {{other}}." in prompt.messages[-1].content
    assert "What is {name}?" in prompt.messages[-1].content


def test_the_version_changes_with_what_the_model_is_shown() -> None:
    versions = {
        LangChainPromptBuilder().version,
        LangChainPromptBuilder("brief", focus_sentences=2).version,
        LangChainPromptBuilder("brief", focus_sentences=3).version,
    }
    assert len(versions) == 3
    assert LangChainPromptBuilder().version == LangChainPromptBuilder().version


def test_a_brief_prompt_holds_only_the_sentences_that_speak_of_the_question() -> None:
    prompt = LangChainPromptBuilder("brief", focus_sentences=1).build("When are quiet hours?", [HUT, PRICES], [])
    assert "Quiet hours are from 22:00 to 06:00." in prompt.messages[-1].content
    assert "60 beds" not in prompt.messages[-1].content


def test_a_follow_up_is_focused_with_the_question_before() -> None:
    history = [Message("user", "What does a packed lunch cost?"), Message("assistant", "It is sold [1].")]
    prompt = LangChainPromptBuilder("brief", focus_sentences=1).build("And in euros?", [HUT, PRICES], history)
    assert "Item: Packed lunch; Price: 9.50 euros" in prompt.messages[1].content


def test_a_row_of_a_table_can_be_read_alone() -> None:
    (best,) = focus("What does a packed lunch cost?", [HUT, PRICES], 1)
    assert (best.source, best.text) == (1, "Item: Packed lunch; Price: 9.50 euros")


def test_among_equal_sentences_the_better_source_wins() -> None:
    sources: list[Hit] = [hit("a", "The bus leaves at noon."), hit("b", "The bus leaves at noon.")]
    assert [statement.source for statement in focus("When does the bus leave?", sources, 2)] == [0, 1]


def test_no_sources_give_no_statements() -> None:
    assert focus("Anything?", [], 2) == []
