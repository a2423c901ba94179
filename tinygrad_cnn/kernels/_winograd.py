"""Winograd's convolution with 6 × 6 tiles: F(4×4, 3×3) and F(2×2, 5×5), on NumPy alone.

A tile d of 6 × 6 and a filter g of r × r give m × m outputs, m + r = 7, by 36 multiplications:

    y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A

where m² r² would be 144 for r = 3 and 100 for r = 5. Summed over channels, each of the 36 is a matrix
product of tiles × channels by channels × filters. The matrices evaluate polynomials at six points, one
of them ∞ (Toom, Cook; Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4).
The gradient of the filters correlates tiles of x with those of the output's cotangent, so it is
F(r×r, m×m): the same, with r and m exchanged.

All entries of a tile are transformed at once, by Bᵀ ⊗ Bᵀ: that is more multiplications than one side
after the other, but a product for BLAS.
"""

from functools import lru_cache
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ._threads import run, scratch, workers
from ._windows import BLOCK_BYTES, NHWC, SMALL, Windows, divisor, scaled, split

TILE = 6
SQUARES = TILE * TILE
# Exact in binary, and a quarter of the error of the usual 0, ±1, ±2. In pairs ±a.
POINTS = (0, 11 / 16, -11 / 16, 11 / 8, -11 / 8)
CHANNELS = {3: 32, 5: 48}  # and filters, from which the products are most of the work
FILTERS = 32  # tiles, whose products take as long as to transform the filters
SHARE = 128  # filters at a time, if their transforms are large, and with them all that is read
QUIETLY = np.errstate(all="ignore")  # what is not finite is done again, and then said
TILES = 64  # in a block, at least: for fewer the transformed filters are read more than multiplied


# -- the matrices --------------------------------------------------------------------------------


def evaluation(n):
    """E (6, n): row a holds the powers of a point, the last the leading coefficient."""
    return [[a**j for j in range(n)] for a in POINTS] + [[int(j == n - 1) for j in range(n)]]


# A = E (m), G = diag(SCALE) E (r)
BT = [[*np.poly([b for b in POINTS if b != a])[::-1].tolist(), 0] for a in POINTS]
BT += [np.poly(POINTS)[::-1].tolist()]
SCALE = [1 / prod(a - b for b in POINTS if b != a) for a in POINTS] + [1.0]


@lru_cache(maxsize=32)
def _both_sides(matrix, n, dtype):
    """M ⊗ M for M = Bᵀ (36, 36), A (36, n²) or G (36, n²)."""
    E = np.array(evaluation(n))
    M = {"Bᵀ": BT, "A": E, "G": np.transpose([SCALE]) * E}[matrix]
    return np.kron(M, M).astype(dtype)


def _times(matrix, columns, out):
    """matrix (o, i) columns (i, n), some columns at a time: OpenBLAS then does without packing."""
    n = columns.shape[1]
    m = divisor(n, SMALL // matrix.size)
    pieces = [part.reshape(len(part), n // m, m).swapaxes(0, 1) for part in (columns, out)]
    np.matmul(matrix, pieces[0], out=pieces[1])


# -- tiles ---------------------------------------------------------------------------------------


class _Tiles(Windows):
    """The tiles of x, windows of `side` × `side` that begin every m cells. A block of T of them is what
    they are transformed to, (36, T, C).
    """

    def __init__(self, x, side, w_shape, plane, origin, dtype):
        m = TILE + 1 - w_shape[2]
        size = [-(-length // m) for length in plane]
        super().__init__(
            x, (w_shape[0], x.shape[1], side, side), size, (m, m), origin, (1, 1), 1, dtype
        )
        self.order, self.x = NHWC, x.transpose(NHWC)
        self.wide, self.name = max(w_shape[:2]), f"tiles {side}"
        self.matrix = _both_sides("Bᵀ" if side == TILE else "A", side, dtype)

    def most(self, groups):
        return max(TILES, BLOCK_BYTES // (2 * SQUARES * self.wide * self.dtype.itemsize))

    def unfold(self, patch, G, p, q):
        (side, _), (m, _) = self.kernel, self.stride
        patch = patch[:, p.start * m :, q.start * m :]
        outer, _, _, C = patch.shape
        a, h, w, b = patch.strides
        shape = (side, side, outer, p.stop - p.start, q.stop - q.start, C)
        columns = scratch("columns", shape, self.dtype)
        columns[...] = as_strided(patch, shape, (h, w, a, h * m, w * m, b))
        tiles = scratch(self.name, (SQUARES, prod(shape[2:5]), C), self.dtype)
        _times(self.matrix, columns.reshape(side * side, -1), tiles.reshape(SQUARES, -1))
        return tiles


# -- convolution ---------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def suits(w_shape, N, plane, stride, dilation, groups, dtype):
    """Whether it is faster than to unfold windows, for outputs (N, F, *plane)."""
    F, C, r, s = w_shape
    plain = r == s and (*stride, *dilation, groups) == (1,) * 5 and dtype.char in "fd"
    if not plain or min(C, F) < CHANNELS.get(r, np.inf):
        return False
    tiles = N * prod(-(-length // (TILE + 1 - r)) for length in plane)
    return 2 * SQUARES * (tiles + FILTERS) < r * r * N * prod(plane)  # numbers that are multiplied


def correlate(x, w, bias, origin, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p + i + origin, ...], 0 outside of x.

    Returns whether all of it is finite. If not, it is to be done in another way: zeros that do not
    stand in the sum are multiplied, and an infinity times 0 is NaN.
    """
    (F, C, r, _), dtype = w.shape, y.dtype
    pieces = split(F, min(F // SHARE, SQUARES * F * C * dtype.itemsize // (2 * BLOCK_BYTES)))
    if len(pieces) > 1:
        return all(
            [correlate(x, w[f], bias if bias is None else bias[f], origin, y[:, f]) for f in pieces]
        )
    m, finite = TILE + 1 - r, []
    u = _filters(w, dtype)
    tiles = _Tiles(x, TILE, w.shape, y.shape[2:], origin, dtype)
    y = y.transpose(NHWC)

    @QUIETLY
    def work(panel):
        for (n, p, q), v in tiles.blocks(panel):
            part, T = y[n, scaled(p, m), scaled(q, m)], v.shape[1]
            sums = scratch("columns", (SQUARES, T, F), dtype)
            np.matmul(v, u, out=sums)
            cells = scratch(tiles.name, (m * m, T * F), dtype)
            _times(_both_sides("A", m, dtype).T, sums.reshape(SQUARES, -1), cells)
            finite.append(np.isfinite(np.dot(cells.ravel(), cells.ravel())))
            rows, columns = p.stop - p.start, q.stop - q.start
            cells = cells.reshape(m, m, len(part), rows, columns, F).transpose(2, 3, 0, 4, 1, 5)
            whole = (len(part), rows * m, columns * m, F)
            out = part if part.shape == whole else scratch("columns", whole, dtype)
            np.add(cells, 0 if bias is None else bias, out=out.reshape(cells.shape))
            if out is not part:
                part[...] = out[:, : part.shape[1], : part.shape[2]]

    run(work, tiles.panels(), tiles.workers)
    return all(finite)


def weight(g, x, w_shape, origin):
    """The adjoint of `correlate` in w, and whether all of it is finite."""
    (F, C, r, _), dtype = w_shape, np.result_type(g, x)
    of_x = _Tiles(x, TILE, w_shape, g.shape[2:], origin, dtype)
    of_g = _Tiles(g, TILE + 1 - r, w_shape, g.shape[2:], (0, 0), dtype)
    few = len(x) * prod(of_x.size) * (C + F) < C * F
    total = (_of_all_tiles if few else _of_each_thread)(of_x, of_g)
    result, matrix = np.empty(w_shape, dtype), _both_sides("G", r, dtype).T

    @QUIETLY
    def finish(c):
        cells = scratch("cells", (r, r, c.stop - c.start, F), dtype)
        _times(matrix, total(c).reshape(SQUARES, -1), cells.reshape(r * r, -1))
        result[:, c] = cells.transpose(3, 2, 0, 1)

    _by_channels(finish, C, SQUARES * C * F * dtype.itemsize)
    return result, np.isfinite(np.dot(result.ravel(), result.ravel()))


def _of_each_thread(of_x, of_g):
    """c -> the sums over all tiles (36, c, F) of the channels c: each thread has sums of its own."""
    panels, F = of_x.panels(), of_g.c
    parts = split(len(panels), of_x.workers)
    sums = np.empty((len(parts), SQUARES, of_x.c, F), of_x.dtype)

    @QUIETLY
    def work(k):
        total, first = sums[k], True
        for panel in panels[parts[k]]:
            for (_, v), (_, z) in zip(of_x.blocks(panel), of_g.blocks(panel), strict=True):
                for c in split(of_x.c, total[0].size * v.shape[1] // SMALL):
                    out = total[:, c]
                    term = out if first else scratch("columns", out.shape, of_x.dtype)
                    np.matmul(v[:, :, c].swapaxes(1, 2), z, out=term)
                    if not first:
                        out += term
                first = False

    run(work, range(len(parts)), len(parts))
    return lambda c: sums[:, :, c].sum(0) if len(parts) > 1 else sums[0][:, c]


def _of_all_tiles(of_x, of_g):
    """The same where the tiles are less memory than the sums: these are made for some c at a time."""
    panels = of_x.panels()
    found = [([], []) for _ in panels]

    @QUIETLY
    def work(k):
        for (_, v), (_, z) in zip(of_x.blocks(panels[k]), of_g.blocks(panels[k]), strict=True):
            found[k][0].append(v.copy())
            found[k][1].append(z.copy())

    run(work, range(len(panels)), of_x.workers)
    v, z = (np.concatenate([one for k in found for one in k[i]], 1) for i in (0, 1))
    return lambda c: np.matmul(v[:, :, c].swapaxes(1, 2), z)


def _filters(w, dtype):
    """G w Gᵀ as (36, C, F)."""
    F, C, r, _ = w.shape
    u = np.empty((SQUARES, C, F), dtype)

    @QUIETLY
    def work(c):
        cells = scratch("columns", (r, r, c.stop - c.start, F), dtype)
        cells[...] = w[:, c].transpose(2, 3, 1, 0)
        _times(_both_sides("G", r, dtype), cells.reshape(r * r, -1), u[:, c].reshape(SQUARES, -1))

    _by_channels(work, C, u.nbytes)
    return u


def _by_channels(work, C, nbytes):
    """Call `work` with slices of channels, a cache full of filters at a time."""
    pieces = -(-4 * nbytes // BLOCK_BYTES)
    run(work, split(C, pieces), workers() if pieces > 1 else 1)
