"""What every guard must do, Guardrails and permissive alike."""

import pytest

from contracts import Chunk, Document, Hit, InputGuard, OutputGuard
from validation.citations import cited_markers
from validation.guardrails_guards import GuardrailsInputGuard, GuardrailsOutputGuard
from validation.permissive_guards import PermissiveInputGuard, VerbatimOutputGuard

TEXT = "The hut opens on 1 May. It has forty beds."
SOURCES = (
    Hit(
        Chunk("c", "d", "v", 0, TEXT, (0, len(TEXT))),
        Document("d", "default", "v", "hut.txt", "Hut guide", "text/plain", len(TEXT)),
        0.5,
    ),
)


@pytest.fixture(scope="module", params=[PermissiveInputGuard, GuardrailsInputGuard])
def input_guard(request: pytest.FixtureRequest) -> InputGuard:
    guard: InputGuard = request.param()
    return guard


@pytest.fixture(scope="module", params=[VerbatimOutputGuard, GuardrailsOutputGuard])
def output_guard(request: pytest.FixtureRequest) -> OutputGuard:
    guard: OutputGuard = request.param()
    return guard


@pytest.mark.parametrize("question", ["When does the hut open?", "Wann öffnet die Hütte?", "  two\nlines? "])
async def test_an_ordinary_question_passes_as_it_is(input_guard: InputGuard, question: str) -> None:
    verdict = await input_guard.check(question)
    assert not verdict.blocked
    assert verdict.text == question
    assert verdict.violations == ()


@pytest.mark.parametrize("sentence", ["The hut opens on 1 May [1].", " The hut opens on 1 May [1].\n"])
async def test_a_rightly_cited_sentence_passes_as_it_is(output_guard: OutputGuard, sentence: str) -> None:
    checked = await output_guard.check(sentence, SOURCES)
    assert checked is not None
    assert checked.text == sentence
    assert checked.markers == (1,)
    assert checked.attributed_by == "model"
    assert checked.violations == ()


@pytest.mark.parametrize("sentence", ["The hut opens on 1 May [2].", "The hut opens [0] on 1 May [1][7]."])
async def test_only_markers_of_sources_leave(output_guard: OutputGuard, sentence: str) -> None:
    checked = await output_guard.check(sentence, SOURCES)
    assert checked is not None
    assert set(checked.markers) <= {1}
    assert cited_markers(checked.text) == checked.markers


@pytest.mark.parametrize("sentence", ["", " ", "\n\n"])
async def test_white_space_is_no_sentence(output_guard: OutputGuard, sentence: str) -> None:
    assert await output_guard.check(sentence, SOURCES) is None
