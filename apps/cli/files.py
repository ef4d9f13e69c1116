"""Which files below the given paths are to be ingested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from contracts import InvalidInputError

_IGNORE_FILE = ".footnoteignore"


def find_files(paths: Sequence[Path], on_skip: Callable[[str], None]) -> list[Path]:
    """Return the files at and below `paths`, each once, as absolute paths.

    Below a folder, hidden files are left out, and so is what the folder's own `.footnoteignore` names, in the syntax of
    `.gitignore`. A folder below that cannot be read is left out too: `on_skip` hears which and why. Raises
    InvalidInputError when a path does not exist or cannot be read, or nothing is left.
    """
    found: dict[Path, None] = {}
    for path in paths:
        try:
            if not path.exists():
                raise InvalidInputError(f"{str(path)!r} does not exist.")
            found.update(dict.fromkeys(_walk(path.resolve(), on_skip) if path.is_dir() else (path.resolve(),)))
        except OSError as exc:
            raise InvalidInputError(f"{str(path)!r} cannot be read: {exc.strerror}.") from exc
    if not found:
        raise InvalidInputError(f"No files to ingest in {', '.join(repr(str(path)) for path in paths)}.")
    return list(found)


def _walk(folder: Path, on_skip: Callable[[str], None]) -> Iterator[Path]:
    """Yield the files below `folder`. Raises OSError when the folder itself cannot be read."""
    for path, is_folder in _entries(folder):
        if not is_folder:
            if path.is_file():
                yield path
        elif not path.is_symlink():  # a link could lead back up, and round for ever
            try:
                yield from _walk(path, on_skip)
            except OSError as exc:
                on_skip(f"skipped {str(path)!r}: {exc.strerror}")


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    """Return what is in `folder` and not to be ignored, each with whether it is a folder."""
    from pathspec import GitIgnoreSpec

    ignore_file = folder / _IGNORE_FILE
    lines = ignore_file.read_text(encoding="utf-8", errors="replace").splitlines() if ignore_file.is_file() else []
    ignored = GitIgnoreSpec.from_lines(lines)
    entries = ((path, path.is_dir()) for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return [
        (path, is_dir) for path, is_dir in entries if not ignored.match_file(f"{path.name}/" if is_dir else path.name)
    ]
