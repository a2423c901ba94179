"""The mathematics of Winograd's convolution with 6 × 6 tiles: F(4×4, 3×3) and F(2×2, 5×5).

A tile d of 6 × 6 and a filter g of r × r give m × m outputs, m + r = 7, by 36 multiplications:

    y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A

The definition takes m² r²: 144 for r = 3 and 100 for r = 5. Summed over channels, each of the 36
is a matrix product of tiles × channels by channels × filters. The matrices evaluate polynomials
at six points, one of them ∞ (Toom, Cook; Lavin and Gray 2016, "Fast algorithms for convolutional
neural networks", section 4). The gradient of the filters correlates tiles of x with tiles of the
output's cotangent, so it is F(r×r, m×m): the same with r and m exchanged.

Both sets multiply by zeros that the definition does not have, and an infinity times 0 is NaN. They
check their results and compute those that are not finite again, by another method.
"""

from math import prod

import numpy as np

TILE = 6  # rows and columns of a tile
SQUARES = TILE * TILE
# Exact in binary. The error is a quarter of that of the usual points 0, ±1, ±2. In pairs ±a,
# whose rows share their additions.
POINTS = (0, 11 / 16, -11 / 16, 11 / 8, -11 / 8)


def evaluation(n):
    """E (6, n): each row holds the powers of a point, the last row the leading coefficient."""
    return [[a**j for j in range(n)] for a in POINTS] + [[int(j == n - 1) for j in range(n)]]


# Bᵀ. A = E (m) and G = diag(SCALE) E (r), for E = `evaluation`.
BT = [[*np.poly([b for b in POINTS if b != a])[::-1].tolist(), 0] for a in POINTS]
BT += [np.poly(POINTS)[::-1].tolist()]
SCALE = [1 / prod(a - b for b in POINTS if b != a) for a in POINTS] + [1.0]
