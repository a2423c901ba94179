"""Arrays as small PNG images, without an image library: blue below 0, orange above, grey at 0."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from .palette import NEGATIVE, POSITIVE, ZERO

MAX_SIDE_PIXELS = 28  # of one plane
MAX_PLANES = 9  # side by side in a grid
MIDDLE, BLANK = 7, 15  # numbers of colours: of 0, with 7 levels on either side; transparent


def image(array: np.ndarray) -> tuple[bytes, float]:
    r"""A PNG of an array of any shape (…, H, W), and the magnitude that has the full colour.

    The last two axes are a plane. The first 9 planes stand in a grid. A plane of more than 28
    pixels a side is sampled: every k-th row and column. A vector is wrapped into a square.

    >>> png, limit = image(np.linspace(-1, 2, 64).reshape(8, 8))
    >>> png[:4], limit
    (b'\x89PNG', 2.0)
    """
    planes = array.reshape((-1, *array.shape[-2:])) if array.ndim > 1 else _wrapped(array)
    rows, columns = (max(1, -(-n // MAX_SIDE_PIXELS)) for n in planes.shape[1:])
    planes = planes[:MAX_PLANES, ::rows, ::columns].astype(np.float64)
    limit = float(np.abs(np.where(np.isfinite(planes), planes, 0.0)).max(initial=0.0)) or 1.0
    across = int(np.ceil(np.sqrt(len(planes))))
    down = -(-len(planes) // across)
    height, width = planes.shape[1:]
    sheet = np.full((down * (height + 1) - 1, across * (width + 1) - 1), BLANK, np.uint8)
    for k, plane in enumerate(_levels(planes / limit)):
        top, left = k // across * (height + 1), k % across * (width + 1)
        sheet[top : top + height, left : left + width] = plane
    return png(sheet), limit


def _wrapped(array: np.ndarray) -> np.ndarray:
    """A vector (N,) as one plane (1, H, W) of nearly equal sides, padded with NaN."""
    width = int(np.ceil(np.sqrt(array.size)))
    sheet = np.full(-(-array.size // width) * width, np.nan)
    sheet[: array.size] = array
    return sheet.reshape(1, -1, width)


def _levels(values: np.ndarray) -> np.ndarray:
    """Colour numbers of values in [-1, 1], by their square root; BLANK for NaN and infinity."""
    bad = ~np.isfinite(values)
    known = np.where(bad, 0.0, values)
    strength = np.sign(known) * np.sqrt(np.abs(known))
    return np.where(bad, BLANK, np.rint(MIDDLE * strength) + MIDDLE).astype(np.uint8)


def _palette() -> bytes:
    """The 16 colours as bytes R, G, B: blue to grey to orange, and the transparent one."""
    low, middle, high = (
        np.array(list(bytes.fromhex(colour[1:])), np.float64)
        for colour in (NEGATIVE, ZERO, POSITIVE)
    )
    colours = [
        middle + ((high if k > MIDDLE else low) - middle) * abs(k - MIDDLE) / MIDDLE
        for k in range(BLANK)
    ]
    return b"".join(np.rint(c).astype(np.uint8).tobytes() for c in (*colours, middle))


def png(levels: np.ndarray) -> bytes:
    """A PNG file from numbers of colours (H, W), each below 16: half a byte a pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = levels.shape
    even = np.pad(levels, ((0, 0), (0, width % 2)))
    packed = (even[:, ::2] << 4 | even[:, 1::2]).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)  # each starts with its filter: none
    head = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"PLTE", _palette())
        + chunk(b"tRNS", b"\xff" * BLANK + b"\0")
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )
