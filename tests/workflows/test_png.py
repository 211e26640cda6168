"""Small PNG pictures: what is written is read again, and damage is noticed."""

from __future__ import annotations

import struct
import zlib

import pytest

from workflows.activities.png import CHANNELS, NotAPicture, Picture, decode, encode, shrink

PICTURE = Picture(width=5, height=3, pixels=bytes(i * 7 % 256 for i in range(5 * 3 * CHANNELS)))


def filtered(kind: int, picture: Picture) -> bytes:
    """The picture as another program would write it, every line with that filter."""
    stride, lines, above = picture.width * CHANNELS, b"", bytes(picture.width * CHANNELS)
    for start in range(0, len(picture.pixels), stride):
        line = picture.pixels[start : start + stride]
        lines += bytes([kind]) + bytes(
            (
                line[i]
                - guess(
                    kind,
                    line[i - CHANNELS] if i >= CHANNELS else 0,
                    above[i],
                    above[i - CHANNELS] if i >= CHANNELS else 0,
                )
            )
            % 256
            for i in range(stride)
        )
        above = line
    whole = encode(picture)
    head = whole[: whole.index(b"IDAT") - 4]
    body = b"IDAT" + zlib.compress(lines)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return head + chunk + whole[whole.index(b"IEND") - 4 :]


def guess(kind: int, left: int, up: int, corner: int) -> int:
    near = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
    return (0, left, up, (left + up) // 2, near)[kind]


def test_what_is_written_is_read_again() -> None:
    assert decode(encode(PICTURE)) == PICTURE


@pytest.mark.parametrize("kind", range(5))
def test_every_filter_is_undone(kind: int) -> None:
    assert decode(filtered(kind, PICTURE)) == PICTURE


def test_a_thumbnail_keeps_the_proportions_and_the_mean() -> None:
    grey = Picture(width=8, height=4, pixels=bytes([10, 20, 30]) * 32)
    assert shrink(grey, 4) == Picture(width=4, height=2, pixels=bytes([10, 20, 30]) * 8)
    halves = Picture(width=2, height=1, pixels=bytes([0, 0, 0, 100, 200, 50]))
    assert shrink(halves, 1).pixels == bytes([50, 100, 25])
    assert shrink(PICTURE, 99) is PICTURE


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"GIF89a" + data,
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: data[:33],
        lambda data: b"",
    ],
    ids=["no PNG", "a bit flipped", "cut short", "empty"],
)
def test_damage_is_noticed(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(NotAPicture):
        decode(damage(encode(PICTURE)))
