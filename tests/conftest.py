"""What all tests share: the product, started once, and a blocked network in unit and contract tests."""

from pathlib import Path

import pytest

from tests.running_stack import running, stack

__all__ = ["running", "stack"]


_ROOT = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        offline = any(folder in item.path.parents for folder in (_ROOT / "unit", _ROOT / "contracts"))
        if offline and item.get_closest_marker("enable_socket") is None:
            item.add_marker(pytest.mark.disable_socket)
