"""The transforms of Winograd's convolution, of a vector of channels. `kernels.winograd_matrices`
has the mathematics.

A tile is transformed one side after the other. The points of evaluation come in pairs ±a, whose
rows share their additions.
"""

from ...winograd_matrices import BT, SCALE, TILE, evaluation
from ..code import emit
from ..jit import part


def _mirrored(row):
    """The row of the point −a, for the row of a."""
    return [-a if k % 2 else a for k, a in enumerate(row)]


def _partners(matrix):
    """(k, index of its mirrored row, or k if there is none) for the first row of each pair."""
    for k, row in enumerate(matrix):
        partner = matrix.index(_mirrored(row)) if _mirrored(row) in matrix else k
        if partner >= k:
            yield k, partner


def times(matrix, vectors):
    """M v. The rows of ±a have the same even and opposite odd entries, and share the work."""
    result = [None] * len(matrix)
    for k, partner in _partners(matrix):
        row = matrix[k]
        if partner == k:
            result[k] = _sum(row, vectors)
        else:
            even, odd = _sum(row[::2], vectors[::2]), _sum(row[1::2], vectors[1::2])
            result[k], result[partner] = even + odd, even - odd
    return result


def transposed_times(matrix, vectors):
    """Mᵀ v, where the entries of v for ±a are added and subtracted first."""
    rows, even, odd = [], [], []
    for k, partner in _partners(matrix):
        a, b = vectors[k], vectors[partner]
        rows.append(matrix[k])
        even.append(a if partner == k else a + b)
        odd.append(a if partner == k else a - b)
    columns = zip(*rows, strict=True)
    return [_sum(column, odd if j % 2 else even) for j, column in enumerate(columns)]


def _sum(factors, vectors):
    """Σ factor · vector, those with the factor ±1 first."""
    total = None
    pairs = zip(factors, vectors, strict=True)
    for factor, vector in sorted(pairs, key=lambda pair: (abs(pair[0]) != 1, -pair[0])):
        if factor and total is None:
            total = vector if factor == 1 else vector * float(factor)
        elif abs(factor) == 1:
            total = total + vector if factor == 1 else total - vector
        elif factor:
            total = total.add_scaled(vector, float(factor))
    return total


def both_sides(product, matrix, tile):
    """M d Mᵀ for `times`, Mᵀ d M for `transposed_times`, of a tile: a list of rows of vectors."""
    columns = [product(matrix, column) for column in zip(*tile, strict=True)]
    return [product(matrix, row) for row in zip(*columns, strict=True)]


def _transform(matrix, scaled=False):
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


def _inverse(matrix, scaled=False):
    """to[i, j] = start + (Mᵀ d M)[i, j] for i < rows and j < columns, d the 36 entries at `of`.

    Writes the first n lanes alone. Adds the results, times 0, to the vector at `check`: it stays 0
    unless one of them is infinite or NaN.
    """

    @emit
    def emitted(code, of, of_step, start, check, to, row, column, rows, columns, n):
        def entry(h, v):
            value = code.load(code.at(of, code.times(TILE * h + v, of_step)))
            return value * (SCALE[h] * SCALE[v]) if scaled else value

        tile = [[entry(h, v) for v in range(TILE)] for h in range(TILE)]
        first = code.load(start)
        results = both_sides(transposed_times, matrix, tile)
        mask = code.mask(n)
        checked = code.load(check)
        for i, line in enumerate(results):
            for j, result in enumerate(line):
                checked = checked.add_scaled(result, 0.0)
                inside = code.all(code.less(i, rows), code.less(j, columns))
                with code.when(inside):
                    address = code.at(to, code.times(i, row), code.times(j, column))
                    code.store(result + first, address, mask)
        code.store(checked, check)

    return emitted


def _of_both(make):
    """A function of r and what `make(3)` or `make(5)` takes: for filters of 3 × 3 and of 5 × 5."""
    three, five = make(3), make(5)

    @part
    def either(zero, r, *integers):
        if r == 3:
            three(zero, *integers)
        else:
            five(zero, *integers)

    return either


transform_x = _transform(BT)
transform_w = _of_both(lambda r: _transform(evaluation(r), scaled=True))
transform_g = _of_both(lambda r: _transform(evaluation(TILE + 1 - r)))
inverse_y = _of_both(lambda r: _inverse(evaluation(TILE + 1 - r)))
inverse_w = _of_both(lambda r: _inverse(evaluation(r), scaled=True))
