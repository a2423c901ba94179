"""The loops of Winograd's convolution with 6 × 6 tiles, whose mathematics is in `kernels/_winograd.py`.

A tile d of 6 × 6 and a filter g of r × r give m × m outputs, m + r = 7: y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. The
transforms work on a vector of channels, one side after the other; the points of evaluation are in pairs
±a, whose rows share their additions.
"""

from .._winograd import BT, SCALE, TILE, evaluation
from ._jit import jit, part
from ._patch import fill_panel, fill_patch, turn
from ._product import across, along
from ._vectors import clear, emit, lanes_of, size_of

ZEROS = 256  # bytes at the beginning of scratch memory: a first sum, a first offset


# -- products with the matrices -------------------------------------------------------------------


def _mirrored(row):
    """The row of the point −a where this is that of a."""
    return [-a if k % 2 else a for k, a in enumerate(row)]


def times(matrix, vectors):
    """M v. The rows of ±a have the same even and opposite odd entries, and share the work."""
    result = [None] * len(matrix)
    for k, row in enumerate(matrix):
        partner = matrix.index(_mirrored(row)) if _mirrored(row) in matrix else k
        if partner == k:
            result[k] = _sum(row, vectors)
        elif partner > k:
            even, odd = _sum(row[::2], vectors[::2]), _sum(row[1::2], vectors[1::2])
            result[k], result[partner] = even + odd, even - odd
    return result


def turned_times(matrix, vectors):
    """Mᵀ v, where the entries of v for ±a are added and subtracted first."""
    rows, even, odd = [], [], []
    for k, row in enumerate(matrix):
        partner = matrix.index(_mirrored(row)) if _mirrored(row) in matrix else k
        if partner == k:
            rows, even, odd = [*rows, row], [*even, vectors[k]], [*odd, vectors[k]]
        elif partner > k:
            rows = [*rows, row]
            even = [*even, vectors[k] + vectors[partner]]
            odd = [*odd, vectors[k] - vectors[partner]]
    columns = zip(*rows, strict=True)
    return [_sum(column, odd if j % 2 else even) for j, column in enumerate(columns)]


def _sum(factors, vectors):
    """Σ factor · vector, those with ±1 first."""
    total = None
    pairs = zip(factors, vectors, strict=True)
    for factor, vector in sorted(pairs, key=lambda pair: (abs(pair[0]) != 1, -pair[0])):
        if factor and total is None:
            total = vector if factor == 1 else vector * float(factor)
        elif abs(factor) == 1:
            total = total + vector if factor == 1 else total - vector
        elif factor:
            total = total.plus(vector, float(factor))
    return total


def both_sides(product, matrix, tile):
    """M d Mᵀ, or Mᵀ d M, of a tile: a list of rows of vectors."""
    columns = [product(matrix, column) for column in zip(*tile, strict=True)]
    return [product(matrix, row) for row in zip(*columns, strict=True)]


# -- the transforms, of a vector of channels -----------------------------------------------------


def transform(matrix, scaled=False):
    """to[k] = the 36 entries of M d Mᵀ, for the tile d[h, v] at `of`."""
    length = range(len(matrix[0]))

    @emit
    def emitted(code, of, row, column, to, to_step):
        place = [[(code.times(h, row), code.times(v, column)) for v in length] for h in length]
        tile = [[code.load(code.at(of, *offsets)) for offsets in line] for line in place]
        for h, line in enumerate(both_sides(times, matrix, tile)):
            for v, result in enumerate(line):
                result = result * (SCALE[h] * SCALE[v]) if scaled else result
                code.store(result, code.at(to, code.times(TILE * h + v, to_step)))

    return emitted


def inverse(matrix, scaled=False):
    """to[i, j] = start + (Mᵀ d M)[i, j] for i < rows and j < columns, d the 36 entries at `of`.

    Only the first n lanes are written. To the vector at `check` the results are added times 0, which
    leaves it 0 unless one of them is infinite or NaN.
    """

    @emit
    def emitted(code, of, of_step, start, check, to, row, column, rows, columns, n):
        def entry(h, v):
            value = code.load(code.at(of, code.times(TILE * h + v, of_step)))
            return value * (SCALE[h] * SCALE[v]) if scaled else value

        tile = [[entry(h, v) for v in range(TILE)] for h in range(TILE)]
        first = code.load(start)
        results = both_sides(turned_times, matrix, tile)
        mask = code.mask(n)
        checked = code.load(check)
        for i, line in enumerate(results):
            for j, result in enumerate(line):
                checked = checked.plus(result, 0.0)
                inside = code.builder.and_(code.less(i, rows), code.less(j, columns))
                with code.when(inside):
                    address = code.at(to, code.times(i, row), code.times(j, column))
                    code.store_some(result + first, address, mask)
        code.store(checked, check)

    return emitted


transform_x = transform(BT)


def _of_both(make):
    """The part of a kernel that differs between filters of 3 × 3 and of 5 × 5: of either by r."""
    three, five = make(3), make(5)

    @part
    def either(zero, r, *integers):
        if r == 3:
            three(zero, *integers)
        else:
            five(zero, *integers)

    return either


transform_w = _of_both(lambda r: transform(evaluation(r), scaled=True))
transform_g = _of_both(lambda r: transform(evaluation(TILE + 1 - r)))
inverse_y = _of_both(lambda r: inverse(evaluation(TILE + 1 - r)))
inverse_w = _of_both(lambda r: inverse(evaluation(r), scaled=True))


# -- the kernels, for filters of r × r -----------------------------------------------------------


@part
def place_of(panel, f_each, width):
    """(group, filters of the group before this panel): each group begins a panel."""
    group, k = divmod(panel, (f_each + width - 1) // width)
    return group, k * width


@jit
def filters(zero, r, w, sf, sc, st, C, f_each, to, width, first, last, scratch):
    """The panels first to last of the transformed filters: to[panel, 36, C, width]."""
    size, lanes = size_of(zero), lanes_of(zero)
    for panel in range(first, last):
        group, f = place_of(panel, f_each, width)
        of = w + (group * f_each + f) * sf * size
        fill_panel(zero, of, sf, sc, st, r * r, C, min(f_each - f, width), scratch, width)
        for k in range(0, C * width, lanes):
            transform_w(
                zero, r, scratch + k * size, r * C * width, C * width,
                to + (panel * TILE * TILE * C * width + k) * size, C * width,
            )  # fmt: skip


@jit
def forward(
    zero, r, x, sn, sc, sh, sw, C, H, W, top, left, c_each, f_each, panels, u, bias, width, y, yn, yp, yq,
    P, Q, most, strip, check, first, last, scratch,
):  # fmt: skip
    """The tiles first to last of y, counted over n, p, q; so many at a time.

    Each group has so many channels and filters, and panels of its own.
    `strip` is the number of rows of tiles for which x is brought into place at once.
    """
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    down, right = (P + m - 1) // m, (Q + m - 1) // m
    wide = (C + lanes - 1) // lanes * lanes
    columns = right * m + r - 1
    patch_rows = strip * m + r - 1
    v_step, m_step = most * wide + lanes, most * width + lanes
    clear(scratch, ZEROS)
    patch = scratch + ZEROS
    v = patch + patch_rows * columns * wide * size
    products = v + TILE * TILE * v_step * size
    filled = -1
    for block in range(first, last, most):
        count = min(most, last - block)
        for t in range(count):
            line, q = divmod(block + t, right)
            n, p = divmod(line, down)
            if filled != n * down + p // strip:
                filled = n * down + p // strip
                fill_patch(
                    zero, x + n * sn * size, sc, sh, sw, C, H, W, patch, wide,
                    p // strip * strip * m - top, patch_rows, -left, columns,
                )  # fmt: skip
            of = patch + ((p % strip) * m * columns + q * m) * wide * size
            for c in range(0, wide, lanes):
                transform_x(
                    zero, of + c * size, columns * wide, wide, v + (t * wide + c) * size, v_step
                )
        for panel in range(panels):
            group, f = place_of(panel, f_each, width)
            own, of = v + group * c_each * size, u + panel * TILE * TILE * c_each * width * size
            for k in range(TILE * TILE):
                along(
                    zero, width, own + k * v_step * size, wide, scratch,
                    of + k * c_each * width * size, 0, width, products + k * m_step * size, width,
                    scratch, 0, c_each, 1, width, count,
                )  # fmt: skip
            filter = group * f_each + f
            for t in range(count):
                line, q = divmod(block + t, right)
                n, p = divmod(line, down)
                out = y + (n * yn + p * m * yp + q * m * yq + filter) * size
                for c in range(0, width, lanes):
                    inverse_y(
                        zero, r, products + (t * width + c) * size, m_step, bias + (filter + c) * size,
                        check, out + c * size, yp, yq, P - p * m, Q - q * m, f_each - f - c,
                    )  # fmt: skip


@jit
def weight(
    zero, r, x, sn, sc, sh, sw, C, H, W, top, left, g, gn, gc, gh, gw, F, P, Q, c_each, f_each,
    panels, width, most, strip, sums, first, last, scratch,
):  # fmt: skip
    """sums[panel, 36, c, width] += the products for the tiles first to last, for c channels of a group."""
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    down, right = (P + m - 1) // m, (Q + m - 1) // m
    wide = (C + lanes - 1) // lanes * lanes
    panels_wide = (f_each + width - 1) // width * width  # the last group may begin anywhere
    deep = (F - f_each + panels_wide + lanes - 1) // lanes * lanes
    columns, g_columns = right * m + r - 1, right * m
    patch_rows, g_rows = strip * m + r - 1, strip * m
    v_step, z_step = most * wide + lanes, most * deep + lanes
    clear(scratch, ZEROS)
    patch = scratch + ZEROS
    g_patch = patch + patch_rows * columns * wide * size
    v = g_patch + g_rows * g_columns * deep * size
    z = v + TILE * TILE * v_step * size
    filled = -1
    for block in range(first, last, most):
        count = min(most, last - block)
        for t in range(count):
            line, q = divmod(block + t, right)
            n, p = divmod(line, down)
            if filled != n * down + p // strip:
                filled = n * down + p // strip
                above = p // strip * strip * m
                fill_patch(
                    zero, x + n * sn * size, sc, sh, sw, C, H, W, patch, wide, above - top,
                    patch_rows, -left, columns,
                )  # fmt: skip
                fill_patch(
                    zero, g + n * gn * size, gc, gh, gw, F, P, Q,
                    g_patch, deep, above, g_rows, 0, g_columns,
                )  # fmt: skip
            of = patch + ((p % strip) * m * columns + q * m) * wide * size
            for c in range(0, wide, lanes):
                transform_x(
                    zero, of + c * size, columns * wide, wide, v + (t * wide + c) * size, v_step
                )
            of = g_patch + ((p % strip) * m * g_columns + q * m) * deep * size
            for c in range(0, deep, lanes):
                to = z + (t * deep + c) * size
                transform_g(zero, r, of + c * size, g_columns * deep, deep, to, z_step)
        for panel in range(panels):
            group, f = place_of(panel, f_each, width)
            own, of = v + group * c_each * size, z + (group * f_each + f) * size
            for k in range(TILE * TILE):
                total = sums + (panel * TILE * TILE + k) * c_each * width * size
                across(
                    zero, width, own + k * v_step * size, wide, scratch, of + k * z_step * size, 0, deep,
                    total, width, total, width, count, 1, width, c_each,
                )  # fmt: skip


@jit
def spread(
    zero, r, of_x, x, sn, sc, sh, sw, C, H, W, top, left, down, right, to, to_step, wide, strip,
    first, last, scratch,
):  # fmt: skip
    """to[k, t, wide] = the 36 numbers of each of the tiles t, first to last: of x, or else of g."""
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    more = (r - 1) * of_x
    columns, rows = right * m + more, strip * m + more
    filled = -1
    for t in range(first, last):
        line, q = divmod(t, right)
        n, p = divmod(line, down)
        if filled != n * down + p // strip:
            filled = n * down + p // strip
            fill_patch(
                zero, x + n * sn * size, sc, sh, sw, C, H, W, scratch, wide,
                p // strip * strip * m - top, rows, -left, columns,
            )  # fmt: skip
        of = scratch + ((p % strip) * m * columns + q * m) * wide * size
        for c in range(0, wide, lanes):
            out = to + (t * wide + c) * size
            if of_x:
                transform_x(zero, of + c * size, columns * wide, wide, out, to_step)
            else:
                transform_g(zero, r, of + c * size, columns * wide, wide, out, to_step)


@jit
def forward_by_panels(
    zero, r, v, v_step, wide, down, right, tiles, w, sf, sc, st, C, F, bias, width, y, yn, yp, yq, P, Q,
    most, check, first, last, scratch,
):  # fmt: skip
    """The panels first to last of y, from the transformed tiles: so many of these at a time."""
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    u_step, m_step = C * width + lanes, most * width + lanes
    clear(scratch, ZEROS)
    taps = scratch + ZEROS
    u = taps + r * r * C * width * size
    products = u + TILE * TILE * u_step * size
    for panel in range(first, last):
        f = panel * width
        fill_panel(zero, w + f * sf * size, sf, sc, st, r * r, C, min(F - f, width), taps, width)
        for k in range(0, C * width, lanes):
            transform_w(zero, r, taps + k * size, r * C * width, C * width, u + k * size, u_step)
        for block in range(0, tiles, most):
            count = min(most, tiles - block)
            for k in range(TILE * TILE):
                along(
                    zero, width, v + (k * v_step + block * wide) * size, wide, scratch,
                    u + k * u_step * size, 0, width, products + k * m_step * size, width, scratch, 0, C,
                    1, width, count,
                )  # fmt: skip
            for t in range(count):
                line, q = divmod(block + t, right)
                n, p = divmod(line, down)
                out = y + (n * yn + p * m * yp + q * m * yq + f) * size
                for c in range(0, width, lanes):
                    inverse_y(
                        zero, r, products + (t * width + c) * size, m_step, bias + (f + c) * size,
                        check, out + c * size, yp, yq, P - p * m, Q - q * m, F - f - c,
                    )  # fmt: skip


@jit
def weight_by_panels(
    zero, r, v, v_step, wide, z, z_step, deep, tiles, C, F, width, to, most, check, first, last, scratch
):  # fmt: skip
    """to[f, c, r, r], the panels first to last of f, from the transformed tiles of x and g.

    So many channels at a time, whose 36 sums stay in the cache.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    step = most * width + lanes
    clear(scratch, ZEROS)
    sums = scratch + ZEROS
    taps = sums + TILE * TILE * step * size  # (c, r · r, width)
    for panel in range(first, last):
        f = panel * width
        for c in range(0, C, most):
            count = min(most, C - c)
            for k in range(TILE * TILE):
                across(
                    zero, width, v + (k * v_step + c) * size, wide, scratch,
                    z + (k * z_step + f) * size, 0, deep, sums + k * step * size, width, scratch, 0,
                    tiles, 1, width, count,
                )  # fmt: skip
            for j in range(count):
                for k in range(0, width, lanes):
                    inverse_w(
                        zero, r, sums + (j * width + k) * size, step, scratch, check,
                        taps + (j * r * r * width + k) * size, r * width, width, r, r, lanes,
                    )  # fmt: skip
            turn(
                zero, to + (f * C + c) * r * r * size, C * r * r, taps, width, count * r * r,
                min(F - f, width),
            )  # fmt: skip


@jit
def finish(zero, r, sums, C, f_each, width, to, check, first, last, scratch):
    """to[f, c, r, r] = what the sums amount to, for the panels first to last."""
    size, lanes = size_of(zero), lanes_of(zero)
    clear(scratch, ZEROS)
    taps = scratch + ZEROS  # (c, r · r, width)
    for panel in range(first, last):
        for c in range(C):
            for k in range(0, width, lanes):
                inverse_w(
                    zero, r, sums + ((panel * TILE * TILE * C + c) * width + k) * size, C * width,
                    scratch, check, taps + (c * r * r * width + k) * size, r * width, width, r, r, lanes,
                )  # fmt: skip
        group, f = place_of(panel, f_each, width)
        out = to + (group * f_each + f) * C * r * r * size
        turn(zero, out, C * r * r, taps, width, C * r * r, min(f_each - f, width))
