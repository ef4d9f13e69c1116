"""When a question leans on the one before."""

import pytest

from contracts import Message
from retrieval.questions.followup_condenser import FollowupCondenser

HISTORY = (Message("user", "What does a packed lunch cost?"), Message("assistant", "9.50 euros [1]."))


@pytest.mark.parametrize(
    "question",
    [
        "And for children?",
        "When must it be ordered?",
        "Why?",
        "How about members?",
        "What about this?",
        "Und was kostet es für Kinder?",
        "Kann man Getränke dazu bestellen?",
        "¿Y cuánto cuesta para los niños?",
        "¿Cuándo hay que pagar por ello, y con él el agua?",
        "Et pour les enfants de moins de six ans ?",
        "Faut-il payer pour elle en avance ?",
    ],
)
async def test_a_follow_up_carries_the_question_before(question: str) -> None:
    condensed = await FollowupCondenser().condense(question, HISTORY)
    assert condensed == f"What does a packed lunch cost? {question}"


@pytest.mark.parametrize(
    "question",
    [
        "When does the last bus leave Lower Orrin?",
        "Is there a shower in the hut?",
        "How many beds are there in the hut?",
        "Which is the fee that guests pay for a late arrival?",
        "Are dogs allowed at this hut?",
        "Gibt es in der Hütte eine Dusche?",
        "¿Cuántas camas hay en el refugio?",
        "Combien de lits y a-t-il dans le refuge ?",
    ],
)
async def test_a_question_that_stands_alone_stays_as_it_is(question: str) -> None:
    assert await FollowupCondenser().condense(question, HISTORY) == question


async def test_without_history_nothing_is_added() -> None:
    assert await FollowupCondenser().condense("And for children?", ()) == "And for children?"


async def test_a_summary_of_what_came_before_is_no_question() -> None:
    earlier = Message("system", "Asked: How many beds are there? Answered: Forty.")
    assert await FollowupCondenser().condense("And for children?", (earlier, *HISTORY)) == (
        "What does a packed lunch cost? And for children?"
    )
    assert await FollowupCondenser().condense("And for children?", (earlier,)) == "And for children?"
