"""Small PNG pictures: 8-bit RGB, written and read with zlib alone.

Owns the bytes of a picture; knows nothing of albums. Pixels are `width * height * 3` bytes.
Source: PNG specification, sections 5 (chunks), 9 (filters) and 11 (IHDR, IDAT, IEND).
"""

from __future__ import annotations

import struct
import zlib

import msgspec

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = 3


class NotAPicture(ValueError):
    """The bytes are not a PNG file of the kind this module reads."""


class Picture(msgspec.Struct, frozen=True):
    """A decoded picture."""

    width: int
    height: int
    pixels: bytes


def encode(picture: Picture) -> bytes:
    """PNG file of the picture; the same picture gives the same bytes."""
    stride = picture.width * CHANNELS
    rows = b"".join(
        b"\0" + picture.pixels[start : start + stride]
        for start in range(0, stride * picture.height, stride)
    )
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 0)
    return (
        SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows, 9))
        + _chunk(b"IEND", b"")
    )


def decode(data: bytes) -> Picture:
    """Picture of a PNG file. Raises `NotAPicture`."""
    if not data.startswith(SIGNATURE):
        raise NotAPicture("the file does not begin like a PNG file")
    header, packed, position = b"", b"", len(SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        if _chunk(kind, body) != data[position : position + 12 + length]:
            raise NotAPicture(f"chunk {kind!r} is damaged")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
        position += 12 + length
    if len(header) != 13 or header[8:13] != b"\x08\x02\0\0\0":
        raise NotAPicture("only 8-bit RGB without interlacing is read")
    width, height = struct.unpack_from(">II", header)
    try:
        rows = zlib.decompress(packed)
    except zlib.error as problem:
        raise NotAPicture("the picture's data are damaged") from problem
    return Picture(width=width, height=height, pixels=_unfilter(rows, width, height))


def shrink(picture: Picture, width: int) -> Picture:
    """The picture at most `width` wide, each pixel the mean of those it stands for."""
    if width >= picture.width:
        return picture
    height = max(1, picture.height * width // picture.width)
    pixels = bytearray()
    for y in range(height):
        top, bottom = _span(y, height, picture.height)
        for x in range(width):
            left, right = _span(x, width, picture.width)
            pixels += _mean(picture, left, right, top, bottom)
    return Picture(width=width, height=height, pixels=bytes(pixels))


def _span(index: int, parts: int, size: int) -> tuple[int, int]:
    start = index * size // parts
    return start, max(start + 1, (index + 1) * size // parts)


def _mean(picture: Picture, left: int, right: int, top: int, bottom: int) -> bytes:
    sums, count = [0] * CHANNELS, (right - left) * (bottom - top)
    for y in range(top, bottom):
        for x in range(left, right):
            at = (y * picture.width + x) * CHANNELS
            for channel in range(CHANNELS):
                sums[channel] += picture.pixels[at + channel]
    return bytes(total // count for total in sums)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _unfilter(rows: bytes, width: int, height: int) -> bytes:
    stride = width * CHANNELS
    if len(rows) != (stride + 1) * height:
        raise NotAPicture("the picture has too few or too many bytes")
    above, pixels = bytes(stride), bytearray()
    for start in range(0, len(rows), stride + 1):
        line = bytearray(rows[start + 1 : start + 1 + stride])
        _unfilter_line(rows[start], line, above)
        above = bytes(line)
        pixels += line
    return bytes(pixels)


def _unfilter_line(kind: int, line: bytearray, above: bytes) -> None:
    for i in range(len(line)):
        left = line[i - CHANNELS] if i >= CHANNELS else 0
        corner = above[i - CHANNELS] if i >= CHANNELS else 0
        match kind:
            case 0:
                return
            case 1:
                guess = left
            case 2:
                guess = above[i]
            case 3:
                guess = (left + above[i]) // 2
            case 4:
                guess = _paeth(left, above[i], corner)
            case _:
                raise NotAPicture(f"filter {kind} does not exist")
        line[i] = (line[i] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda candidate: abs(estimate - candidate))
