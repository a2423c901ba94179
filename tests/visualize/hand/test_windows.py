"""Windows: which elements of an input an element of the output depends on, against plain loops."""

import itertools

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import linalg
from visualize.hand.windows import windows


def found_for(y, *inputs):
    values = [None if x is None else x.detach().numpy() for x in inputs]
    return windows(y.grad_fn, values)


def covered(size, kernel, stride, padding, dilation, outputs):
    """For each output along one axis, the cells of its window that lie in the input, with their taps."""
    return [
        [(o * stride - padding + k * dilation, k) for k in range(kernel)
         if 0 <= o * stride - padding + k * dilation < size]
        for o in range(outputs)
    ]  # fmt: skip


CONFIGS = [
    # sizes, kernel, stride, padding, dilation
    ((5, 5), (3, 3), (2, 2), (0, 0), (1, 1)),
    ((4, 6), (2, 3), (1, 2), (1, 0), (1, 1)),
    ((5, 4), (2, 2), (2, 1), (1, 1), (2, 1)),
    ((3, 3), (3, 2), (1, 1), (1, 1), (1, 2)),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_convolution(config):
    sizes, kernel, stride, padding, dilation = config
    rng = np.random.default_rng(0)
    x = tc.tensor(rng.normal(size=(1, 1, *sizes)), requires_grad=True)
    w = tc.tensor(rng.normal(size=(1, 1, *kernel)), requires_grad=True)
    with tc.no_grad():
        w[0, 0, 0, 0] = 0.0  # it is in the window, though its factor is 0
    y = F.conv2d(x, w, stride=stride, padding=padding, dilation=dilation)
    found = found_for(y, x, w, None)
    assert set(found) == {0, 1}
    assert (found[0].operand, found[1].operand) == (1, 0)
    rows, columns = (
        covered(*axis, outputs)
        for *axis, outputs in zip(
            sizes, kernel, stride, padding, dilation, y.shape[2:], strict=True
        )
    )
    wanted = np.full((y.numel(), x.numel()), -1)
    for j, (p, q) in enumerate(itertools.product(range(y.shape[2]), range(y.shape[3]))):
        for (h, i), (v, k) in itertools.product(rows[p], columns[q]):
            wanted[j, h * sizes[1] + v] = i * kernel[1] + k
    np.testing.assert_array_equal(found[0].element, wanted)
    np.testing.assert_array_equal(found[0].inside, wanted >= 0)
    flat = w.detach().numpy().ravel()
    np.testing.assert_array_equal(found[0].factors, np.where(wanted >= 0, flat[wanted], 0))
    for j, tap in itertools.product(range(y.numel()), range(w.numel())):
        cells = np.flatnonzero(wanted[j] == tap)
        assert found[1].element[j, tap] == (cells[0] if cells.size else -1)


@pytest.mark.parametrize("config", CONFIGS)
def test_max_pooling(config):
    sizes, kernel, stride, padding, dilation = config
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    x = np.random.default_rng(0).integers(0, 3, (1, 1, *sizes)).astype(np.float64)  # with ties
    t = tc.tensor(x, requires_grad=True)
    y = F.max_pool2d(t, kernel, stride, padding, dilation)
    (window,) = found_for(y, t).values()
    rows, columns = (
        covered(*axis, outputs)
        for *axis, outputs in zip(
            sizes, kernel, stride, padding, dilation, y.shape[2:], strict=True
        )
    )
    for j, (p, q) in enumerate(itertools.product(range(y.shape[2]), range(y.shape[3]))):
        cells = [h * sizes[1] + v for (h, _), (v, _) in itertools.product(rows[p], columns[q])]
        np.testing.assert_array_equal(np.flatnonzero(window.inside[j]), cells)
        first = cells[int(np.argmax(x.ravel()[cells]))] if cells else None
        assert np.flatnonzero(window.factors[j]).tolist() == ([] if first is None else [first])


def test_average_pooling_shares_quarters():
    x = tc.tensor(np.arange(9.0).reshape(1, 1, 3, 3), requires_grad=True)
    (window,) = found_for(F.avg_pool2d(x, 2, stride=1), x).values()
    assert window.fixed
    assert np.unique(window.factors).tolist() == [0.0, 0.25]
    assert window.inside.sum(1).tolist() == [4, 4, 4, 4]
    assert window.inside.sum(0).reshape(3, 3).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


@pytest.mark.parametrize(
    ("fn", "operands"),
    [
        (lambda a, b: a @ b, (1, 0)),
        (lambda a, b: F.linear(a, b.T), None),
        (lambda a, b: tc.einsum("ij,jk->ik", a, b), None),
        (lambda a, b: linalg.solve(a @ b, a), None),
    ],
)
def test_products(fn, operands):
    rng = np.random.default_rng(0)
    a, b = (tc.tensor(rng.normal(size=(2, 2)), requires_grad=True) for _ in range(2))
    y = fn(a, b)
    if operands is None:  # of other inputs than a and b: only that nothing is wrong
        parents = [p for p in y.grad_fn.parents if p is not None]
        assert len(windows(y.grad_fn, [None] * len(y.grad_fn.parents), known=False)) == len(parents)
        return
    found = found_for(y, a, b)
    assert tuple(found[k].operand for k in (0, 1)) == operands
    for k, other in ((0, b), (1, a)):
        window, flat = found[k], other.detach().numpy().ravel()
        np.testing.assert_array_equal(
            window.factors, np.where(window.element >= 0, flat[window.element], 0)
        )


def test_softmax_and_what_is_too_large():
    x = tc.tensor([[1.0, 2.0], [0.0, -1.0]], dtype=tc.float64, requires_grad=True)
    p = x.softmax(1)
    (window,) = found_for(p, x).values()
    wanted = np.kron(np.eye(2), np.ones((2, 2))) > 0
    np.testing.assert_array_equal(window.inside, wanted)
    y = p.detach().numpy().ravel()
    np.testing.assert_allclose(
        window.factors, wanted * (np.diag(y) - np.outer(y, y)), rtol=0, atol=1e-15
    )
    large = tc.zeros(65, requires_grad=True)
    assert found_for(large.exp(), large) == {}
    assert found_for(large.sum(), large) == {}
