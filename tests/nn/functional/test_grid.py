"""grid_sample and affine_grid: against other resizing functions, gradients, warnings."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 2, 4, 5))
GRID = RNG.uniform(-1.3, 1.3, (2, 3, 2, 2))
IDENTITY = tc.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], dtype=tc.float64).expand(2, 2, 3)
PADDINGS = ["zeros", "border", "reflection"]


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_the_identity_samples_the_image_itself(mode, align):
    grid = F.affine_grid(IDENTITY, X.shape, align_corners=align)
    y = F.grid_sample(tc.tensor(X), grid, mode, align_corners=align)
    np.testing.assert_allclose(y.numpy(), X, atol=1e-12)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_finer_grid_is_interpolation(mode, align):
    grid = F.affine_grid(IDENTITY, (2, 2, 7, 9), align_corners=align)
    y = F.grid_sample(tc.tensor(X), grid, mode, "border", align_corners=align)
    wanted = F.interpolate(tc.tensor(X), (7, 9), mode=mode, align_corners=align)
    np.testing.assert_allclose(y.numpy(), wanted.numpy(), atol=1e-6)


def away_from_kinks(align):
    """A grid whose places are between two cells of X, also outside of it."""
    cells = RNG.integers(-2, 5, (2, 3, 2, 2)) + RNG.uniform(0.1, 0.4, (2, 3, 2, 2))
    n = np.array(X.shape[:1:-1])
    return cells * 2 / (n - 1) - 1 if align else (cells * 2 + 1) / n - 1


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_both_derivatives(mode, padding, align):
    grid = away_from_kinks(align)

    def fn(x, g):
        return F.grid_sample(x, g, mode, padding, align)

    check_vjp(fn, X, grid)
    check_second_order(fn, X, grid)


@pytest.mark.parametrize("padding", PADDINGS)
def test_volumes(padding):
    x, g = RNG.standard_normal((1, 2, 3, 2, 4)), RNG.uniform(-1.2, 1.2, (1, 2, 1, 3, 3))
    check_vjp(lambda x, g: F.grid_sample(x, g, padding_mode=padding, align_corners=False), x, g)
    theta = tc.tensor([[[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]]], dtype=tc.float64)
    same = F.grid_sample(tc.tensor(x), F.affine_grid(theta, x.shape, False), align_corners=False)
    np.testing.assert_allclose(same.numpy(), x, atol=1e-12)


def test_nearest_has_no_gradient_by_the_grid():
    x, g = tc.tensor(X, requires_grad=True), tc.tensor(GRID, requires_grad=True)
    F.grid_sample(x, g, "nearest", align_corners=False).sum().backward()
    assert not g.grad.any()
    assert x.grad.any()


def test_on_and_beyond_the_border_the_gradient_by_the_grid_is_0():
    x = tc.tensor([[[[1.0, 5.0]]]])
    grid = tc.tensor([[[[-1.0, 0.0], [1.0, 0.0], [3.0, 0.0], [0.5, 0.0]]]], requires_grad=True)
    F.grid_sample(x, grid, padding_mode="border", align_corners=True).sum().backward()
    assert grid.grad[0, 0, :, 0].tolist() == [0.0, 0.0, 0.0, 2.0]


def test_one_cell():
    x = tc.tensor([[[[3.0]]]])
    grid = tc.tensor([[[[0.2, -0.4], [5.0, 7.0]]]])
    for align in (False, True):
        assert F.grid_sample(x, grid, padding_mode="border", align_corners=align).tolist() == [
            [[[3.0, 3.0]]]
        ]
        assert F.grid_sample(x, grid, "nearest", "reflection", align).tolist() == [[[[3.0, 3.0]]]]


def test_without_align_corners_a_warning():
    with pytest.warns(UserWarning, match="align_corners=False since 1.3.0"):
        F.grid_sample(tc.tensor(X), tc.tensor(GRID))
    with pytest.warns(UserWarning, match="Please specify align_corners=True"):
        F.affine_grid(IDENTITY, (2, 1, 2, 2))


def test_affine_grids():
    check_vjp(lambda t: F.affine_grid(t, (2, 1, 3, 4), False), RNG.standard_normal((2, 2, 3)))
    check_vjp(lambda t: F.affine_grid(t, (1, 1, 3, 2, 2), True), RNG.standard_normal((1, 3, 4)))
    corners = F.affine_grid(IDENTITY[:1], (1, 1, 2, 3), align_corners=True)
    assert corners[0, 0, 0].tolist() == [-1.0, -1.0]
    assert corners[0, -1, -1].tolist() == [1.0, 1.0]
    assert F.affine_grid(IDENTITY[:1], (1, 1, 1, 1), align_corners=True).tolist() == [
        [[[0.0, 0.0]]]
    ]


def test_a_spatial_transformer_learns_a_shift():
    """An image and its shifted copy: gradient descent on theta finds the shift."""
    at = tc.arange(9.0) - 4
    bump = tc.exp(-((at[:, None] ** 2 + at[None, :] ** 2) / 6)).reshape(1, 1, 9, 9)
    shifted = tc.exp(-((at[:, None] ** 2 + (at[None, :] - 1) ** 2) / 6)).reshape(1, 1, 9, 9)
    theta = tc.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], requires_grad=True)
    optimizer = tc.optim.SGD([theta], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        grid = F.affine_grid(theta, (1, 1, 9, 9), align_corners=True)
        loss = F.mse_loss(F.grid_sample(bump, grid, align_corners=True), shifted)
        loss.backward()
        optimizer.step()
    assert theta[0, 0, 2].item() == pytest.approx(-0.25, abs=0.05)  # a cell is a quarter
