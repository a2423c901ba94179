"""Windows, taps and phases against their definitions, cell by cell."""

import numpy as np
from hypothesis import given

from tinygrad_cnn.kernels.geometry import adjoint_phases, flipped_filters, output_size, tap_slices

from .loops import axis


@given(axis())
def test_slices_hold_the_windows_and_cells_of_each_tap(case):
    length, taps, stride, padding, dilation, windows = case
    assert output_size((length,), (taps,), (stride,), (padding,), (dilation,)) == (windows,)
    for i, (p, cells) in enumerate(tap_slices(length, taps, stride, padding, dilation, windows)):
        inside = [
            (k, cell)
            for k in range(windows)
            if 0 <= (cell := k * stride + i * dilation - padding[0]) < length
        ]
        found = zip(range(windows)[p], range(length)[cells], strict=True)
        assert list(found) == inside


@given(axis(), axis())
def test_phases_write_each_cell_once_with_all_its_taps(rows, columns):
    (H, I, s, top, d, _), (W, J, t, left, e, _) = rows, columns
    written, used = np.zeros((H, W), int), np.zeros((H, W), int)
    for cells, taps, _, _ in adjoint_phases((H, W), (I, J), (s, t), (top, left), (d, e)):
        written[cells] += 1
        used[cells] += len(range(I)[taps[0]]) * len(range(J)[taps[1]])
    assert (written == 1).all()
    h, v = np.arange(H) + top[0], np.arange(W) + left[0]
    down = ((h[:, None] - np.arange(I) * d) % s == 0).sum(1)
    along = ((v[:, None] - np.arange(J) * e) % t == 0).sum(1)
    np.testing.assert_array_equal(used, np.outer(down, along))


def test_flipped_filters_exchange_filters_and_channels_of_each_group():
    w = np.arange(6 * 2 * 3 * 4).reshape(6, 2, 3, 4)
    flipped = flipped_filters(w, 2)
    assert flipped.shape == (4, 3, 3, 4)
    for group in range(2):
        for f in range(3):
            for c in range(2):
                own = w[group * 3 + f, c, ::-1, ::-1]
                np.testing.assert_array_equal(flipped[group * 2 + c, f], own)
