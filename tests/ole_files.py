"""Small Word, PowerPoint and Excel files in the formats of before 2007, built byte by byte: no library writes them."""

from __future__ import annotations

import struct

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def ole_file(streams: dict[str, bytes]) -> bytes:
    """Return a compound file with the streams in its root, as [MS-CFB] describes it."""
    chains: list[int] = []
    content = b""
    entries = [_entry("Root Entry", 5, _END, 0, child=1)]
    for number, (name, stream) in enumerate(streams.items(), start=1):
        stream = stream.ljust(4096, b"\0")  # shorter ones would lie in another stream
        stream += bytes(-len(stream) % _SECTOR)
        start = len(chains)
        sectors = len(stream) // _SECTOR
        chains += [*range(start + 1, start + sectors), _END]
        content += stream
        sibling = number + 1 if number < len(streams) else _FREE
        entries.append(_entry(name, 2, start, len(stream), right=sibling))
    directory = b"".join(entries)
    directory += bytes(-len(directory) % _SECTOR)
    first = len(chains)
    sectors = len(directory) // _SECTOR
    chains += [*range(first + 1, first + sectors), _END]
    fat = len(chains)
    chains += [_FAT]
    assert len(chains) <= 128, "one sector of 128 entries is all this makes"
    chains += [_FREE] * (128 - len(chains))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1)
    header += struct.pack("<IIIIIIII", first, 0, 4096, _END, 0, _END, 0, fat)
    header += struct.pack("<I", _FREE) * 108
    return header + content + directory + struct.pack("<128I", *chains)


def _entry(name: str, kind: int, start: int, size: int, *, right: int = _FREE, child: int = _FREE) -> bytes:
    title = name.encode("utf-16-le") + b"\0\0"
    return (
        title.ljust(64, b"\0")
        + struct.pack("<HBB3I", len(title), kind, 1, _FREE, right, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def word_file(paragraphs: list[tuple[str, bytes]], *, struck: str = "") -> bytes:
    """Return a Word 97 document of (text with its mark, properties) paragraphs; `struck` was deleted in it as tracked.

    The text starts at byte 2048; pages 1 and 2 of 512 bytes hold the properties of paragraphs and characters.
    """
    text = "".join(paragraph for paragraph, _ in paragraphs)
    encoded = text.encode("utf-16-le")
    start = 2048
    main = bytearray(start)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", main, 0x0A, 0x0200)  # the table stream is called 1Table
    struct.pack_into("<i", main, 0x4C, len(text))
    bounds = [start]
    for paragraph, _ in paragraphs:
        bounds.append(bounds[-1] + 2 * len(paragraph))
    main[512:1024] = _page(bounds, [struct.pack("<H", 0) + properties for _, properties in paragraphs], paragraph=True)
    place = start + 2 * text.index(struck) if struck else start
    runs = [start, place, place + 2 * len(struck), start + len(encoded)]
    main[1024:1536] = _page(runs, [b"", struct.pack("<HB", 0x0800, 1) if struck else b"", b""], paragraph=False)
    clx = struct.pack("<BIiiHIH", 2, 16, 0, len(text), 0, start, 0)
    table = bytearray()
    for number, part in (
        (33, clx),
        (13, struct.pack("<III", bounds[0], bounds[-1], 1)),
        (12, struct.pack("<III", runs[0], runs[-1], 2)),
    ):
        struct.pack_into("<II", main, 0x9A + 8 * number, len(table), len(part))
        table += part
    return ole_file({"WordDocument": bytes(main) + encoded, "1Table": bytes(table)})


def _page(bounds: list[int], properties: list[bytes], *, paragraph: bool) -> bytes:
    """Return a page (FKP) with the properties of the runs between the bounds."""
    page = bytearray(_SECTOR)
    page[511] = len(properties)
    struct.pack_into(f"<{len(bounds)}I", page, 0, *bounds)
    width = 13 if paragraph else 1
    end = 510
    for number, stored in enumerate(properties):
        stored += bytes((len(stored) + 1) % 2) if paragraph else b""
        prefix = bytes([(len(stored) + 1) // 2]) if paragraph else bytes([len(stored)])
        end -= (len(prefix + stored) + 1) // 2 * 2
        page[end : end + len(prefix + stored)] = prefix + stored
        page[4 * len(bounds) + width * number] = end // 2
    return bytes(page)


def record(kind: int, *content: bytes, instance: int = 0, container: bool = True) -> bytes:
    """Return a record of PowerPoint."""
    body = b"".join(content)
    return struct.pack("<HHI", instance << 4 | (0xF if container else 0), kind, len(body)) + body


def atom(kind: int, content: bytes, *, instance: int = 0) -> bytes:
    """Return a record of PowerPoint that holds no others."""
    return record(kind, content, instance=instance, container=False)


def powerpoint_file(slides: list[tuple[str, str, bool]]) -> bytes:
    """Return a PowerPoint 97 presentation of (title, body, whether it is hidden) slides."""
    objects: list[bytes] = []
    listed = b""
    for number, (title, body, hidden) in enumerate(slides, start=2):
        info = atom(0x03F9, bytes(10) + struct.pack("<H", 4 if hidden else 0) + bytes(4))
        box = record(0xF00D, atom(0x0F9F, struct.pack("<I", 1)), atom(0x0FA8, body.encode("latin-1")))
        slide = record(0x03EE, atom(0x03EF, bytes(24)), info, record(0x040C, record(0xF002, record(0xF004, box))))
        objects.append(slide)
        listed += atom(0x03F3, struct.pack("<5I", number, 0, 1, 255 + number, 0))
        listed += atom(0x0F9F, struct.pack("<I", 0)) + atom(0x0FA0, title.encode("utf-16-le"))
    objects.insert(0, record(0x03E8, record(0x0FF0, listed)))
    stream = b""
    places: list[int] = []
    for stored in objects:
        places.append(len(stream))
        stream += stored
    directory = len(stream)
    stream += atom(0x1772, struct.pack(f"<I{len(places)}I", len(places) << 20 | 1, *places))
    edit = len(stream)
    stream += atom(0x0FF5, struct.pack("<IIIIIII", 0, 0, 0, directory, 1, len(places), 0))
    user = atom(0x0FF6, struct.pack("<III", 0x14, 0xE391C05F, edit) + bytes(8))
    return ole_file({"PowerPoint Document": stream, "Current User": user})


def excel_file(rows: list[list[str | float]]) -> bytes:
    """Return an Excel 2 worksheet."""

    def part(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    cells = b""
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            place = struct.pack("<HH3x", number, column)
            if isinstance(value, str):
                text = value.encode("cp1252")
                cells += part(4, place + bytes([len(text)]) + text)
            else:
                cells += part(3, place + struct.pack("<d", value))
    return part(9, struct.pack("<HH", 2, 0x10)) + cells + part(10, b"")
