"""Opens Office files that are protected by a password."""

from __future__ import annotations

import io
from collections.abc import Sequence

from contracts import ParseError, ParseFailure

_WRITE_PROTECTED = "VelvetSweatshop"  # what Excel encrypts with when a workbook is only to be protected from changes


def decrypted(data: bytes, called: str, passwords: Sequence[str]) -> bytes:
    """Return the file as it is without its password, or itself when it has none. The passwords are tried in order.

    Raises ParseError(ENCRYPTED) when none of them opens it.
    """
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError
    from msoffcrypto.exceptions import ParseError as BrokenFile

    try:
        if not msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted():
            return data
    except (FileFormatError, BrokenFile, OSError, KeyError, ValueError):
        return data  # no format that can be encrypted so, or damaged: its reader will say
    for password in (*passwords, _WRITE_PROTECTED):
        opened = io.BytesIO()
        file = msoffcrypto.OfficeFile(io.BytesIO(data))
        try:
            file.load_key(password=password)
            file.decrypt(opened)
        except (DecryptionError, InvalidKeyError):
            continue
        return opened.getvalue()
    what = "and none of the passwords given opens it" if passwords else "and none was given"
    raise ParseError(
        ParseFailure.ENCRYPTED, f"{called!r} is protected by a password, {what}. Save it without one and try again."
    )
