"""Which files below the given paths are to be ingested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts import InvalidInputError

_IGNORE_FILE = ".footnoteignore"


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files at and below `paths`, each once, as absolute paths.

    Below a folder, hidden files are left out, and so is what the folder's own `.footnoteignore` names, in the syntax of
    `.gitignore`. Raises InvalidInputError when a path does not exist or nothing is left.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InvalidInputError(f"{str(path)!r} does not exist.")
        found.update(dict.fromkeys(_walk(path.resolve()) if path.is_dir() else (path.resolve(),)))
    if not found:
        raise InvalidInputError(f"No files to ingest in {', '.join(repr(str(path)) for path in paths)}.")
    return list(found)


def _walk(folder: Path) -> Iterator[Path]:
    from pathspec import GitIgnoreSpec

    ignore_file = folder / _IGNORE_FILE
    lines = ignore_file.read_text(encoding="utf-8").splitlines() if ignore_file.is_file() else []
    ignored = GitIgnoreSpec.from_lines(lines)
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or ignored.match_file(f"{path.name}/" if path.is_dir() else path.name):
            continue
        if path.is_dir():
            if not path.is_symlink():  # a link could lead back up, and round for ever
                yield from _walk(path)
        elif path.is_file():
            yield path
