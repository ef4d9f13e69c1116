"""Teaches Pillow to read HEIC by pi-heif: decoders under the LGPL; pillow-heif also carries x265, under the GPL."""

from __future__ import annotations


def accept_heic() -> None:
    """Register the format; doing so again changes nothing."""
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False)
