"""The `footnote` command as a whole."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"faiss", "guardrails", "langchain", "llama_index", "mlflow", "numpy", "sqlalchemy", "torch", "transformers"}


def footnote(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "apps.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_lists_the_commands_and_imports_nothing_heavy() -> None:
    shown = footnote("--help").stdout
    for command in ("up", "down", "status", "doctor", "ingest", "search", "ask", "documents"):
        assert f" {command} " in shown
    imported = subprocess.run(
        [sys.executable, "-c", "import sys, apps.cli.main; print(*{name.split('.')[0] for name in sys.modules})"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not HEAVY & set(imported)


def test_a_wrong_setting_is_one_clear_line(tmp_path: Path) -> None:
    done = footnote("status", FOOTNOTE_DATA_DIR=str(tmp_path), FOOTNOTE_API__PORT="many")
    assert done.returncode == 1
    assert "FOOTNOTE_API__PORT" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_down_without_a_stack_says_so(tmp_path: Path) -> None:
    done = footnote("down", FOOTNOTE_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "Footnote does not run.\n")


def test_up_with_a_missing_folder_starts_nothing(tmp_path: Path) -> None:
    done = footnote("up", "--docs", str(tmp_path / "none"), FOOTNOTE_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1
    assert "does not exist" in done.stderr
    assert not (tmp_path / "data" / "logs").exists()


def test_the_contracts_import_no_package_of_ours() -> None:
    ours = {"apps", "ingestion", "retrieval", "serving", "cache", "validation", "observability"}
    tree = ast.parse((ROOT / "contracts.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} & (ours | {"numpy"}) == {"numpy"}


@pytest.mark.parametrize("length", [20, 200])
def test_the_socket_path_fits_the_operating_system(length: int, tmp_path: Path) -> None:
    settings = Settings(data_dir=Path("/" + "d" * length))
    assert len(str(settings.redis_socket)) <= 103
    assert settings.cache_url == f"unix://{settings.redis_socket}"
