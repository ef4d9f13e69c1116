"""`footnote up` while it stays."""

from pathlib import Path

import pytest
from rich.console import Console

from apps.cli.progress import Steps
from apps.cli.up import _stay
from apps.run_file import RunFile
from apps.settings import Settings
from apps.stack import Stack
from apps.supervisor import ChildDiedError


class DyingStack(Stack):
    """One of its parts does not stay up."""

    async def watch(self) -> None:
        raise ChildDiedError("It does not stay up: worker")


async def test_a_part_that_does_not_stay_up_is_one_clear_error(tmp_path: Path) -> None:
    steps = Steps(Console(quiet=True))
    stack = DyingStack(Settings(data_dir=tmp_path), RunFile(tmp_path), steps)
    with pytest.raises(ChildDiedError, match="worker"):
        await _stay(stack, steps, ())
