"""Arrays as small PNG images, with no library: blue below 0, orange above, grey at 0."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIDE = 48  # pixels at most of one plane
PLANES = 16  # planes at most, side by side


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
    finite = np.where(np.isfinite(planes), planes, 0.0)
    limit = float(np.abs(finite).max(initial=0.0)) or 1.0
    pixels = _coloured(planes / limit)
    across = int(np.ceil(np.sqrt(len(planes))))
    down = -(-len(planes) // across)
    height, width = planes.shape[1:]
    sheet = np.full((down * (height + 1) - 1, across * (width + 1) - 1, 4), 0, np.uint8)
    for k, plane in enumerate(pixels):
        top, left = k // across * (height + 1), k % across * (width + 1)
        sheet[top : top + height, left : left + width] = plane
    return png(sheet), limit


def _folded(array: np.ndarray) -> np.ndarray:
    """A vector in rows, filled up with NaN."""
    width = int(np.ceil(np.sqrt(array.size)))
    sheet = np.full(-(-array.size // width) * width, np.nan)
    sheet[: array.size] = array
    return sheet.reshape(1, -1, width)


def _coloured(values: np.ndarray) -> np.ndarray:
    """RGBA bytes of values in [-1, 1]; what is not finite is see-through."""
    grey = np.array([226, 229, 233.0])
    low, high = np.array([37, 99, 180.0]), np.array([214, 104, 20.0])
    bad = ~np.isfinite(values)
    strength = np.sqrt(np.abs(np.where(bad, 0.0, values)))[..., None]
    ends = np.where((values < 0)[..., None], low, high)
    rgb = grey + (ends - grey) * strength
    alpha = np.where(bad, 0, 255)[..., None]
    return np.concatenate([np.clip(rgb, 0, 255), alpha], axis=-1).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of (H, W, 4) bytes, RGBA."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)  # each begins with its filter, none
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )
