"""The matrix product under everything: a tile of sums that stays in registers.

A product reads an element of a for each row and a few vectors of b, and adds to every sum of a
tile of rows × columns. With 12 × 2 vectors, 14 loads serve 24 multiply-adds, so arithmetic is the
limit (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication", section
4). They pack both operands. Here b is packed, and the part of a that is read is in the cache.
"""

from ..code import emit
from ..jit import part
from ..tuning import TILE_ROWS

# Zeros at the start of a kernel's scratch memory: two vectors of first sums, and an offset of 0.
ZEROS_BYTES = 256


def _tile(
    code, rows, vectors, across, a, a_step, offsets, b, b_segment, b_step, y, y_row, start,
    start_row, count, segments, n,
):  # fmt: skip
    """One tile of `_product`, of `rows` rows and `vectors` vectors of columns."""
    a_k, a_row = (a_step, 1) if across else (1, a_step)
    places = [(r, v) for r in range(rows) for v in range(vectors)]
    sums = {}
    for r, v in places:
        first = code.load(code.at(start, code.times(r, start_row), v * code.lanes))
        sums[r, v] = code.variable(first)
    with code.loop(segments, (offsets, 8), (b, code.bytes_of(b_segment))) as (offset, b_first):
        first = code.plus(a, code.load_integer(offset))
        # three rows have one address: row, row + step and row + 2 step are one instruction
        a_firsts = [code.at(first, code.times(r, a_row)) for r in range(0, rows, 3)]
        walks = [(address, code.bytes_of(a_k)) for address in a_firsts]
        with code.loop(count, (b_first, code.bytes_of(b_step)), *walks) as (b_now, *a_now):
            columns = [code.load(code.at(b_now, v * code.lanes)) for v in range(vectors)]
            for r in range(rows):
                x = code.splat_at(code.at(a_now[r // 3], code.times(r % 3, a_row)))
                for v in range(vectors):
                    code.accumulate(sums[r, v], x, columns[v])

    def write(masks):
        for r, v in places:
            address = code.at(y, code.times(r, y_row), v * code.lanes)
            code.store(code.get(sums[r, v]), address, masks[v])

    with code.either(code.less(n, vectors * code.lanes)) as (some, all_of_them):
        with some:
            write([code.mask(code.minus(n, v * code.lanes)) for v in range(vectors)])
        with all_of_them:
            write([None] * vectors)


def _product(across):
    """y[r, n] = start[r, n] + Σ_sk a[s, r, k] b[s, k, n] for any number of rows r.

    `width` is that of a panel b in elements, one or two vectors; only the first n columns are
    written. `across` says which of r and k is the contiguous axis of a: r if so. The other has
    the stride a_step. Segment s of a begins at `offsets`[s], int64 in bytes; b has the strides
    b_segment and b_step, y the stride y_row and start the stride start_row.
    """

    @emit
    def tiles(
        code, width, a, a_step, offsets, b, b_segment, b_step, y, y_row, start, start_row, count,
        segments, n, rows,
    ):  # fmt: skip
        steps = [code.bytes_of(step) for step in (1 if across else a_step, y_row, start_row)]

        def emit_tiles(vectors, addresses, left):
            for height in TILE_ROWS:
                rounds, left = code.divided(left, height)
                walks = [
                    (address, code.times(height, step))
                    for address, step in zip(addresses, steps, strict=True)
                ]
                # after the loop, the addresses point to the remaining rows
                with code.loop(rounds, *walks) as addresses:
                    a, y, start = addresses
                    _tile(
                        code, height, vectors, across, a, a_step, offsets, b, b_segment, b_step, y,
                        y_row, start, start_row, count, segments, n,
                    )  # fmt: skip

        with code.either(code.same(width, code.lanes)) as (one, two):
            with one:
                emit_tiles(1, (a, y, start), rows)
            with two:
                emit_tiles(2, (a, y, start), rows)

    @part
    def product(zero, *integers):
        tiles(zero, *integers)

    return product


along, across = _product(False), _product(True)
