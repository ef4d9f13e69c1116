"""False flags of the signs in passages (hidden text, exfiltration links) on clean ones, and what a check costs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from validation.injection.passage_guard import PassageScanner
from validation.training.open_sets import clean_passages

RULES = ("exfiltration_link", "hidden_text", "prompt_injection")


def report_signs(data: Path) -> None:
    """Print how many clean passages break each rule of the shipped guard, and milliseconds per passage."""
    passages = clean_passages(data)
    texts = [one.text for one in passages]
    scanner = PassageScanner({rule: {} for rule in RULES})
    asyncio.run(scanner.check(texts[:10]))
    started = time.process_time()
    broken = asyncio.run(scanner.check(texts))
    spent = time.process_time() - started
    print(
        f"\nThe shipped guard on {len(texts)} clean passages ({sum(map(len, texts)) / len(texts):.0f} characters each);"
    )
    print("prompt_injection was trained on them, so only the cross-validated figures above say how often it is wrong")
    for rule in RULES:
        print(f"  {rule}: {sum(rule in rules for rules in broken)}")
    print(f"  {1000 * spent / len(texts):.2f} ms of one core a passage")
