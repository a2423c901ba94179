"""The matrix product under everything: a tile of sums that stays in registers.

A product reads an element of a and a few vectors of b, and adds to every sum of a tile of rows ×
columns: with 12 × 2 vectors, 14 loads serve 24 multiply-adds, so that arithmetic is what limits it
(Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication", section 4; the
packing of both operands, which they need for large matrices, falls away: b is packed, and what is
read of a is in the cache already).
"""

from ._jit import part
from ._vectors import REGISTERS, emit, lanes_of, size_of

TALL = 12 if REGISTERS == 32 else 6  # rows of a tile of two vectors
SHORT = 4


def tile(rows, vectors, across):
    """y[r, n] = start[r, n] + Σ_sk a[s, r, k] b[s, k, n], for so many rows r and vectors of n.

    `across` says which of r and k is the contiguous one in a: r if so. The other advances by
    a_step. Of s, a advances by what `offsets`, int64 in bytes, says.
    """

    def build(
        code, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count, segments, n
    ):  # fmt: skip
        a_k, a_row = (a_step, 1) if across else (1, a_step)
        sums = [[code.variable() for _ in range(vectors)] for _ in range(rows)]
        places = [(r, v) for r in range(rows) for v in range(vectors)]
        for r, v in places:
            address = code.at(start, code.times(r, start_row), v * code.lanes)
            code.set(sums[r][v], code.load(address))
        bytes_a, bytes_b = code.times(a_k, code.size), code.times(b_step, code.size)
        with code.loop(segments, offsets, b) as outer:
            offset, b_first = outer.values
            first = code.sum(a, code.load_integer(offset))
            # three rows have one address: row, row + step and row + 2 step are one instruction
            firsts = [code.at(first, code.times(r, a_row)) for r in range(0, rows, 3)]
            with code.loop(count, b_first, *firsts) as inner:
                b_now, *a_now = inner.values
                columns = [code.load(code.at(b_now, v * code.lanes)) for v in range(vectors)]
                for r in range(rows):
                    x = code.broadcast(code.at(a_now[r // 3], code.times(r % 3, a_row)))
                    for v in range(vectors):
                        code.set(sums[r][v], code.add_product(x, columns[v], code.get(sums[r][v])))
                inner.next(code.sum(b_now, bytes_b), *(code.sum(x, bytes_a) for x in a_now))
            outer.next(code.sum(offset, 8), code.at(b_first, b_segment))
        with code.either(code.less(n, vectors * code.lanes)) as (some, all_of_them):
            with some:
                masks = [code.mask(code.sum(n, -v * code.lanes)) for v in range(vectors)]
                for r, v in places:
                    address = code.at(y, code.times(r, y_row), v * code.lanes)
                    code.store_some(code.get(sums[r][v]), address, masks[v])
            with all_of_them:
                for r, v in places:
                    address = code.at(y, code.times(r, y_row), v * code.lanes)
                    code.store(code.get(sums[r][v]), address)

    return emit(build)


def _tiles(vectors, across):
    """`tile` for any number of rows, the last argument."""
    tall, short, pair, one = (tile(rows, vectors, across) for rows in (TALL, SHORT, 2, 1))

    @part
    def tiles(
        zero, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count, segments,
        n, rows,
    ):  # fmt: skip
        size = size_of(zero)
        down_a, down_y, down = (1 if across else a_step) * size, y_row * size, start_row * size
        while rows >= TALL:
            tall(
                zero, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
                segments, n,
            )  # fmt: skip
            a, y, start = a + TALL * down_a, y + TALL * down_y, start + TALL * down
            rows -= TALL
        while rows >= SHORT:
            short(
                zero, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
                segments, n,
            )  # fmt: skip
            a, y, start = a + SHORT * down_a, y + SHORT * down_y, start + SHORT * down
            rows -= SHORT
        if rows >= 2:
            pair(
                zero, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
                segments, n,
            )  # fmt: skip
            a, y, start = a + 2 * down_a, y + 2 * down_y, start + 2 * down
            rows -= 2
        if rows:
            one(
                zero, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
                segments, n,
            )  # fmt: skip

    return tiles


def _product(across):
    single, double = _tiles(1, across), _tiles(2, across)

    @part
    def product(
        zero, width, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
        segments, n, rows,
    ):  # fmt: skip
        if width == lanes_of(zero):
            single(
                zero, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
                segments, n, rows,
            )  # fmt: skip
        else:
            double(
                zero, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
                segments, n, rows,
            )  # fmt: skip

    return product


along, across = _product(False), _product(True)
