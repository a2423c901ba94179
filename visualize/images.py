"""Arrays as small PNG images, with no library: blue below 0, orange above, grey at 0."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIDE = 28  # pixels at most of one plane
PLANES = 9  # planes at most, side by side
BLANK = 15  # the see-through colour


def image(array: np.ndarray) -> tuple[bytes, float]:
    """A PNG of an array of any shape, and the magnitude that has the full colour.

    The last two axes are a plane; of the planes before, the first few stand in a grid. Large planes
    are shown by every k-th row and column.

    >>> png, limit = image(np.linspace(-1, 2, 64).reshape(8, 8))
    >>> png[:4], limit
    (b'\\x89PNG', 2.0)
    """
    planes = array.reshape((-1, *array.shape[-2:])) if array.ndim > 1 else _folded(array)
    rows, columns = (max(1, -(-n // SIDE)) for n in planes.shape[1:])
    planes = planes[:PLANES, ::rows, ::columns].astype(np.float64)
    limit = float(np.abs(np.where(np.isfinite(planes), planes, 0.0)).max(initial=0.0)) or 1.0
    across = int(np.ceil(np.sqrt(len(planes))))
    down = -(-len(planes) // across)
    height, width = planes.shape[1:]
    sheet = np.full((down * (height + 1) - 1, across * (width + 1) - 1), BLANK, np.uint8)
    for k, plane in enumerate(_levels(planes / limit)):
        top, left = k // across * (height + 1), k % across * (width + 1)
        sheet[top : top + height, left : left + width] = plane
    return png(sheet), limit


def _folded(array: np.ndarray) -> np.ndarray:
    """A vector in rows, filled up with NaN."""
    width = int(np.ceil(np.sqrt(array.size)))
    sheet = np.full(-(-array.size // width) * width, np.nan)
    sheet[: array.size] = array
    return sheet.reshape(1, -1, width)


def _levels(values: np.ndarray) -> np.ndarray:
    """Colours, by number, of values in [-1, 1]: 7 of each sign about 0; what is not finite is blank."""
    bad = ~np.isfinite(values)
    known = np.where(bad, 0.0, values)
    strength = np.sign(known) * np.sqrt(np.abs(known))
    return np.where(bad, BLANK, np.rint(7 * strength) + 7).astype(np.uint8)


def _palette() -> bytes:
    middle = np.array([226, 229, 233.0])
    ends = np.array([37, 99, 180.0]), np.array([214, 104, 20.0])
    colours = [middle + (ends[k > 7] - middle) * abs(k - 7) / 7 for k in range(BLANK)]
    return b"".join(np.rint(c).astype(np.uint8).tobytes() for c in (*colours, middle))


def png(levels: np.ndarray) -> bytes:
    """A PNG file of (H, W) numbers of colours, 16 of them: half a byte a pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = levels.shape
    even = np.pad(levels, ((0, 0), (0, width % 2)))
    packed = (even[:, ::2] << 4 | even[:, 1::2]).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)  # each begins with its filter, none
    head = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"PLTE", _palette())
        + chunk(b"tRNS", b"\xff" * BLANK + b"\0")
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )
