"""What every guard must do, Guardrails and permissive alike."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts import Chunk, Document, GuardPolicies, Guards, Hit
from validation.guardrails.guardrails_policies import GuardrailsPolicies
from validation.permissive_guards import FixedPolicies
from validation.support.citations import cited_markers

TEXT = "The hut opens on 1 May. It has forty beds."
SOURCES = (
    Hit(
        Chunk("c", "d", "v", 0, TEXT, (0, len(TEXT))),
        Document("d", "default", "v", "hut.txt", "Hut guide", "text/plain", len(TEXT)),
        0.5,
    ),
)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(FixedPolicies, id="permissive"),
        pytest.param(lambda: GuardrailsPolicies(Path("no-such-folder")), id="guardrails"),
    ],
)
def guards(request: pytest.FixtureRequest) -> Guards:
    make: Callable[[], GuardPolicies] = request.param
    return make().guards("default")


@pytest.mark.parametrize("question", ["When does the hut open?", "Wann öffnet die Hütte?", "  two\nlines? "])
async def test_an_ordinary_question_passes_as_it_is(guards: Guards, question: str) -> None:
    verdict = await guards.input.check(question)
    assert (verdict.blocked, verdict.text, verdict.violations, dict(verdict.restore)) == (False, question, (), {})


@pytest.mark.parametrize("sentence", ["The hut opens on 1 May [1].", " The hut opens on 1 May [1].\n"])
async def test_a_rightly_cited_sentence_passes_as_it_is(guards: Guards, sentence: str) -> None:
    checked = await guards.output.check(sentence, SOURCES)
    assert (checked.outcome, checked.text, checked.markers) == ("pass", sentence, (1,))
    assert (checked.attributed_by, checked.violations) == ("model", ())
    assert 0 < checked.support <= 1


@pytest.mark.parametrize("sentence", ["The hut opens on 1 May [2].", "The hut opens [0] on 1 May [1][7]."])
async def test_only_markers_of_sources_leave(guards: Guards, sentence: str) -> None:
    checked = await guards.output.check(sentence, SOURCES)
    assert checked.outcome == "pass"
    assert set(checked.markers) <= {1}
    assert cited_markers(checked.text) == checked.markers


@pytest.mark.parametrize("sentence", ["", " ", "\n\n"])
async def test_white_space_is_no_sentence(guards: Guards, sentence: str) -> None:
    assert (await guards.output.check(sentence, SOURCES)).outcome == "drop"


async def test_passages_without_anything_odd_have_no_flags(guards: Guards) -> None:
    assert [tuple(flags) for flags in await guards.passages.check([TEXT, "", "x" * 5000])] == [(), (), ()]
    assert guards.passages.version
