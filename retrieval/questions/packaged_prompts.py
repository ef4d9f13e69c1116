"""The prompts of this package as they are kept, to be shown to people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from contracts import Message, PromptText

_FOLDER = Path(__file__).parent / "prompts"


def packaged_prompts() -> Mapping[str, PromptText]:
    """Return each prompt by the name of its file."""
    texts = {file.stem: file.read_text(encoding="utf-8").strip() for file in sorted(_FOLDER.glob("*.txt"))}
    return {
        name: PromptText(f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}", (Message("user", text),))
        for name, text in texts.items()
    }
