"""Time per check through Guardrails beside the same detection in plain Python.

Run it with ``python -m tests.benchmarks.bench_guards``; the two are interleaved, so a busy machine slows both.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from contracts import Chunk, Document, Hit
from validation.citations import keep_markers, settle
from validation.guardrails_guards import GuardrailsInputGuard, GuardrailsOutputGuard, passage_text
from validation.injection import find_injection
from validation.pii import find_pii, redact
from validation.sentences import SentenceStream

ROUNDS = 500
QUESTION = "When does the hut open in spring, and what does a night in the dormitory cost for children under 12?"
SENTENCE = "The hut opens on 1 May and a night in the dormitory costs 25 francs [1]."
PHONE = "Call +41 44 668 18 00 to book."
FILLER = "The path crosses two streams and a moraine before it reaches the terrace above the lake. " * 8
ANSWER = " ".join([SENTENCE, "Dr. Weber keeps it.", "It has 40 beds, e.g. for groups [2]."] * 5)


def sources() -> tuple[Hit, ...]:
    facts = ("The hut opens on 1 May. A night in the dormitory costs 25 francs.", "Call +41 44 668 18 00 to book.", "")
    document = Document("d", "default", "v", "hut.txt", "Hut guide", "text/plain", 1)
    texts = [f"{fact} {FILLER}" for fact in facts]
    return tuple(Hit(Chunk("c", "d", "v", 0, text, (0, len(text))), document, 0.5) for text in texts)


def plain_input(question: str) -> str | None:
    if not question.strip() or len(question) > 4000 or find_injection(question):
        return None
    return redact(question, find_pii(question))


def plain_output(sentence: str, passages: tuple[str, ...]) -> str | None:
    settled = settle(keep_markers(sentence, len(passages)), passages, 0.6)
    return redact(settled.text, find_pii(settled.text)) if settled else None


async def compare(name: str, guarded: Callable[[], Awaitable[object]], plain: Callable[[], object]) -> None:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await guarded()
        middle = time.perf_counter()
        plain()
        ours.append((middle - start) * 1e6)
        theirs.append((time.perf_counter() - middle) * 1e6)
    p50, p95 = statistics.median(ours), statistics.quantiles(ours, n=20)[-1]
    base50, base95 = statistics.median(theirs), statistics.quantiles(theirs, n=20)[-1]
    print(f"{name:<18}{p50:>9.0f}{p95:>9.0f}{base50:>12.0f}{base95:>9.0f}{p50 / base50:>8.1f}")


async def main() -> None:
    start = time.perf_counter()
    input_guard, output_guard = GuardrailsInputGuard(), GuardrailsOutputGuard()
    print(f"guards built in {time.perf_counter() - start:.1f} s; microseconds per check:")
    hits = sources()
    passages = tuple(passage_text(hit) for hit in hits)
    print(f"{'check':<18}{'p50':>9}{'p95':>9}{'plain p50':>12}{'p95':>9}{'ratio':>8}")
    await compare("question", lambda: input_guard.check(QUESTION), lambda: plain_input(QUESTION))
    await compare("sentence", lambda: output_guard.check(SENTENCE, hits), lambda: plain_output(SENTENCE, passages))
    await compare("phone", lambda: output_guard.check(PHONE, hits), lambda: plain_output(PHONE, passages))
    start = time.perf_counter()
    for _ in range(ROUNDS):
        stream = SentenceStream()
        for word in ANSWER.split(" "):
            stream.feed(f"{word} ")
        stream.flush()
    print(f"splitting an answer of {len(ANSWER)} characters: {(time.perf_counter() - start) / ROUNDS * 1e6:.0f}")


if __name__ == "__main__":
    asyncio.run(main())
