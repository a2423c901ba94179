"""Arrays as PNG images, decoded and compared."""

import struct
import zlib

import numpy as np
import pytest

from visualize.images import BLANK, image


def pixels(png):
    """The colour numbers (H, W) of a PNG with 16 colours."""
    at, data, size = 8, b"", None
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
            assert tuple(body[8:]) == (4, 3, 0, 0, 0)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(size[1], -1)[:, 1:]
    return np.stack([rows >> 4, rows & 15], axis=-1).reshape(size[1], -1)[:, : size[0]]


def test_images_have_the_right_colours():
    values = np.array([[-2.0, 0.0, 2.0], [np.nan, 0.5, np.inf]])
    png, limit = image(values)
    assert limit == 2.0
    np.testing.assert_array_equal(pixels(png), [[0, 7, 14], [BLANK, 11, BLANK]])


@pytest.mark.parametrize("shape", [(30,), (1, 200), (200, 1), (7, 3, 5), (2, 40, 9, 9), (100, 100)])
def test_images_of_any_shape_are_small(shape):
    png, _ = image(np.random.default_rng(0).normal(size=shape))
    height, width = pixels(png).shape
    assert 1 <= height <= 3 * 29
    assert 1 <= width <= 3 * 29
    assert len(png) < 5000


def test_planes_stand_in_a_grid():
    png, _ = image(np.stack([np.full((2, 2), v) for v in (1.0, -1.0, 0.0)]))
    np.testing.assert_array_equal(
        pixels(png),
        [
            [14, 14, 15, 0, 0],
            [14, 14, 15, 0, 0],
            [15] * 5,
            [7, 7, 15, 15, 15],
            [7, 7, 15, 15, 15],
        ],
    )
