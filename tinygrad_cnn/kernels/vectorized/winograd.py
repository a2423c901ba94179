"""Winograd's convolution on NumPy alone. `winograd_matrices` has the mathematics.

All entries of a tile are transformed at once, by Bᵀ ⊗ Bᵀ (36 × 36). That takes more multiplications
than one side after the other, but it is a product for BLAS.
"""

from functools import lru_cache
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...atomic import quietly
from .. import threads
from ..memory import scratch
from ..winograd_matrices import BT, SCALE, SQUARES, TILE, evaluation
from . import tuning
from .blocks import divisor, scaled, split
from .im2col import NHWC, Im2col
from .thread_pool import run

# --- The transforms -----------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _both_sides(matrix, n, dtype):
    """M ⊗ M for M = Bᵀ (36, 36), A (36, n²) or G (36, n²)."""
    E = np.array(evaluation(n))
    M = {"Bᵀ": BT, "A": E, "G": np.transpose([SCALE]) * E}[matrix]
    return np.kron(M, M).astype(dtype)


def _multiply(matrix, columns, out):
    """matrix (o, i) times columns (i, n), some columns at a time: OpenBLAS does not pack then."""
    n = columns.shape[1]
    m = divisor(n, tuning.UNPACKED_MULTIPLY_ADDS // matrix.size)
    pieces = [part.reshape(len(part), n // m, m).swapaxes(0, 1) for part in (columns, out)]
    np.matmul(matrix, pieces[0], out=pieces[1])


class _Tiles(Im2col):
    """Tiles of x: windows of `side` × `side` that begin every m cells. A block yields T of them,
    transformed: (36, T, C).
    """

    def __init__(self, x, side, w_shape, plane, origin, dtype):
        m = TILE + 1 - w_shape[2]
        size = [-(-length // m) for length in plane]
        super().__init__(
            x, (w_shape[0], x.shape[1], side, side), size, (m, m), origin, (1, 1), 1, dtype
        )
        self.order, self.x = NHWC, x.transpose(NHWC)
        self.wide, self.scratch_name = max(w_shape[:2]), f"tiles {side}"
        self.matrix = _both_sides("Bᵀ" if side == TILE else "A", side, dtype)

    def block_pixels(self, groups):
        nbytes = 2 * SQUARES * self.wide * self.dtype.itemsize
        return max(tuning.BLOCK_TILES, tuning.BLOCK_BYTES // nbytes)

    def unfold(self, patch, G, p, q):
        (side, _), (m, _) = self.kernel, self.stride
        patch = patch[:, p.start * m :, q.start * m :]
        outer, _, _, C = patch.shape
        a, h, w, b = patch.strides
        shape = (side, side, outer, p.stop - p.start, q.stop - q.start, C)
        columns = scratch("columns", shape, self.dtype)
        columns[...] = as_strided(patch, shape, (h, w, a, h * m, w * m, b))
        tiles = scratch(self.scratch_name, (SQUARES, prod(shape[2:5]), C), self.dtype)
        _multiply(self.matrix, columns.reshape(side * side, -1), tiles.reshape(SQUARES, -1))
        return tiles


def _transformed_filters(w, dtype):
    """G w Gᵀ as (36, C, F)."""
    F, C, r, _ = w.shape
    u, matrix = np.empty((SQUARES, C, F), dtype), _both_sides("G", r, dtype)

    def work(c, cells):
        cells[...] = w[:, c].transpose(2, 3, 1, 0)
        _multiply(matrix, cells.reshape(r * r, -1), u[:, c].reshape(SQUARES, -1))

    _for_channels(work, w.shape, dtype)
    return u


def _for_channels(work, w_shape, dtype):
    """Call `work(c, cells)` for slices of channels whose filters fit in the cache.

    `cells` is scratch memory (r, r, c, F) for these filters.
    """
    F, C, r, _ = w_shape
    pieces = -(-4 * SQUARES * C * F * dtype.itemsize // tuning.BLOCK_BYTES)

    @quietly  # results that are not finite are computed again, with warnings
    def with_memory(c):
        work(c, scratch("cells", (r, r, c.stop - c.start, F), dtype))

    run(with_memory, split(C, pieces), threads.get_num_threads() if pieces > 1 else 1)


# --- Convolution --------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def is_faster(w_shape, N, plane, stride, dilation, groups, dtype):
    """Whether this takes less time than `im2col`, for outputs (N, F, *plane)."""
    F, C, r, s = w_shape
    plain = r == s and (*stride, *dilation, groups) == (1,) * 5 and dtype.char in "fd"
    if not plain or min(C, F) < tuning.WINOGRAD_CHANNELS.get(r, np.inf):
        return False
    tiles = N * prod(-(-length // (TILE + 1 - r)) for length in plane)
    multiplied = SQUARES * (tiles + tuning.FILTER_TRANSFORM_TILES)
    return 2 * multiplied < r * r * N * prod(plane)


def correlate(x, w, bias, origin, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p + i + origin, ...], 0 outside of x.

    Returns whether all results are finite. If not, the caller must compute y by another method.
    """
    (F, C, r, _), dtype = w.shape, y.dtype
    large = SQUARES * F * C * dtype.itemsize // (2 * tuning.BLOCK_BYTES)
    pieces = split(F, min(F // tuning.FILTERS_AT_ONCE, large))
    if len(pieces) > 1:
        return all(
            [correlate(x, w[f], bias if bias is None else bias[f], origin, y[:, f]) for f in pieces]
        )
    m, finite = TILE + 1 - r, []
    u = _transformed_filters(w, dtype)
    tiles = _Tiles(x, TILE, w.shape, y.shape[2:], origin, dtype)
    y = y.transpose(NHWC)

    @quietly
    def work(panel):
        for (n, p, q), v in tiles.blocks(panel):
            part, T = y[n, scaled(p, m), scaled(q, m)], v.shape[1]
            sums = scratch("columns", (SQUARES, T, F), dtype)
            np.matmul(v, u, out=sums)
            cells = scratch(tiles.scratch_name, (m * m, T * F), dtype)
            _multiply(_both_sides("A", m, dtype).T, sums.reshape(SQUARES, -1), cells)
            finite.append(np.isfinite(np.dot(cells.ravel(), cells.ravel())))
            rows, columns = p.stop - p.start, q.stop - q.start
            cells = cells.reshape(m, m, len(part), rows, columns, F).transpose(2, 3, 0, 4, 1, 5)
            whole = (len(part), rows * m, columns * m, F)
            out = part if part.shape == whole else scratch("columns", whole, dtype)
            np.add(cells, 0 if bias is None else bias, out=out.reshape(cells.shape))
            if out is not part:
                part[...] = out[:, : part.shape[1], : part.shape[2]]

    run(work, tiles.panels(), tiles.threads)
    return all(finite)


def weight_gradient(g, x, w_shape, origin):
    """The adjoint of `correlate` in w, and whether all of it is finite."""
    (F, C, r, _), dtype = w_shape, np.result_type(g, x)
    of_x = _Tiles(x, TILE, w_shape, g.shape[2:], origin, dtype)
    of_g = _Tiles(g, TILE + 1 - r, w_shape, g.shape[2:], (0, 0), dtype)
    few_tiles = len(x) * prod(of_x.size) * (C + F) < C * F
    sums = (_sums_of_kept_tiles if few_tiles else _sums_by_thread)(of_x, of_g)
    result, matrix = np.empty(w_shape, dtype), _both_sides("G", r, dtype).T

    def work(c, cells):
        _multiply(matrix, sums(c).reshape(SQUARES, -1), cells.reshape(r * r, -1))
        result[:, c] = cells.transpose(3, 2, 0, 1)

    _for_channels(work, w_shape, dtype)
    return result, np.isfinite(np.dot(result.ravel(), result.ravel()))


def _tile_pairs(of_x, of_g, panels):
    """The transformed tiles of x and of g, block by block."""
    for panel in panels:
        for (_, v), (_, z) in zip(of_x.blocks(panel), of_g.blocks(panel), strict=True):
            yield v, z


def _sums_by_thread(of_x, of_g):
    """A function of c: the sums over all tiles (36, c, F) of the channels c.

    Each thread adds to separate sums.
    """
    panels, F = of_x.panels(), of_g.c
    parts = split(len(panels), of_x.threads)
    sums = np.empty((len(parts), SQUARES, of_x.c, F), of_x.dtype)

    @quietly
    def work(k):
        total, first = sums[k], True
        for v, z in _tile_pairs(of_x, of_g, panels[parts[k]]):
            multiply_adds = total[0].size * v.shape[1]
            for c in split(of_x.c, multiply_adds // tuning.UNPACKED_MULTIPLY_ADDS):
                out = total[:, c]
                term = out if first else scratch("columns", out.shape, of_x.dtype)
                np.matmul(v[:, :, c].swapaxes(1, 2), z, out=term)
                if not first:
                    out += term
            first = False

    run(work, range(len(parts)), len(parts))
    return lambda c: sums[:, :, c].sum(0) if len(parts) > 1 else sums[0][:, c]


def _sums_of_kept_tiles(of_x, of_g):
    """The same function, for tiles that take less memory than the sums: it keeps the tiles."""
    panels = of_x.panels()
    found = [None] * len(panels)

    @quietly
    def work(k):
        pairs = _tile_pairs(of_x, of_g, [panels[k]])
        found[k] = [(v.copy(), z.copy()) for v, z in pairs]

    run(work, range(len(panels)), of_x.threads)
    pairs = [pair for of_panel in found for pair in of_panel]
    v, z = (np.concatenate(tiles, 1) for tiles in zip(*pairs, strict=True))
    return lambda c: np.matmul(v[:, :, c].swapaxes(1, 2), z)
