"""Reads what is said about a file beside it: `report.pdf.meta.yaml`, or `.footnote.yaml` for a folder and all below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contracts import Description

FOLDER_FILE = ".footnote.yaml"
SUFFIXES = (".meta.yaml", ".meta.yml", ".meta.json")
_LONGEST = 256 << 10  # bytes


def described_file(name: str) -> str | None:
    """Return the name of the file that the file `name` describes, or None if it is no description.

    >>> described_file("report.pdf.meta.yaml")
    'report.pdf'
    """
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), None) or None


def read_description(raw: bytes, called: str, base: Description) -> Description:
    """Return what a YAML (or JSON) mapping says, on top of `base`: `readers`, and any other key as metadata.

    Example: ``readers: [finance, audit]`` and ``author: Ada``. What cannot be understood is a `problem`, since who may
    see the file is then unknown.
    """
    import yaml

    try:
        if len(raw) > _LONGEST:
            raise ValueError(f"it has more than {_LONGEST >> 10} KiB")
        said = yaml.safe_load(raw.decode()) or {}
        if not isinstance(said, Mapping):
            raise ValueError("it is no mapping of names to values")
        metadata = {str(key): _text(value) for key, value in said.items() if key != "readers" and value is not None}
        readers = _readers(said["readers"]) if "readers" in said else base.readers
    except Exception as exc:  # PyYAML lets errors of its constructors through: IndexError, KeyError, AttributeError
        reason = " ".join(str(exc).split())
        return replace(base, problem=f"{called!r} cannot be understood: {reason}. Who may see the file is unknown.")
    return Description(readers, {**base.metadata, **metadata}, base.problem)


def _readers(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError("`readers` must be a name or a list of names")
    return tuple(sorted({name.strip() for name in names}))


def _text(value: object) -> str:
    values = value if isinstance(value, list) else [value]
    if any(isinstance(each, Mapping | list | set | tuple) for each in values):
        raise ValueError("metadata cannot be nested")  # lists of the same lists again would fill the memory
    return ", ".join(map(str, values))
