"""Clipping of gradients, and parameters as one vector."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import nn
from tinygrad_cnn.nn import utils


def parameters(seed, dtype=tc.float64):
    rng = np.random.default_rng(seed)
    made = [nn.Parameter(tc.zeros(shape, dtype=dtype)) for shape in [(2, 3), (4,), (1,), ()]]
    for p in made[:3]:
        p.grad = tc.tensor(rng.standard_normal(p.shape), dtype=dtype)
    return made


@given(st.integers(0, 2**32), st.sampled_from([1.0, 2.0, 3.0, math.inf]), st.floats(0.1, 20))
def test_clip_grad_norm(seed, order, limit):
    ps = parameters(seed)
    before = np.concatenate([p.grad.numpy().ravel() for p in ps[:3]]).copy()
    norm = utils.clip_grad_norm_(iter(ps), limit, order)
    wanted = np.linalg.norm(before, order)
    assert norm.item() == pytest.approx(wanted)
    after = np.concatenate([p.grad.numpy().ravel() for p in ps[:3]])
    np.testing.assert_allclose(after, before * min(1, limit / (wanted + 1e-6)))
    assert ps[3].grad is None


def test_clip_grad_norm_of_one_of_none_and_of_large_float32():
    (p, *_) = parameters(0, tc.float32)
    norm = utils.clip_grad_norm_(p, 0.5)
    assert norm.dtype == p.grad.dtype == tc.float32
    assert norm.shape == ()
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    p.grad = tc.full(p.shape, 1e30)  # its square is no float32
    assert utils.clip_grad_norm_([p], 1.0).item() == pytest.approx(1e30 * math.sqrt(6))
    assert p.grad.tolist() == [[pytest.approx(1 / math.sqrt(6))] * 3] * 2


def test_a_norm_that_is_not_finite():
    ps = parameters(1)
    ps[0].grad[0, 0] = math.nan
    before = ps[1].grad.clone()
    with pytest.raises(RuntimeError, match=r"total norm of order 2.0 .* is non-finite"):
        utils.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
    assert ps[1].grad.equal(before)
    assert math.isnan(utils.clip_grad_norm_(ps, 1.0).item())
    assert ps[1].grad.isnan().all()


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("dtype", [tc.float16, tc.float32, tc.float64])
def test_a_norm_that_overflows_its_dtype(dtype, order):
    largest = float(tc.finfo(dtype).max) * (1.0 if dtype != tc.float64 else 1e-300)
    p = nn.Parameter(tc.zeros(4, dtype=dtype))
    p.grad = tc.full((4,), largest, dtype=dtype)
    overflows = dtype != tc.float64
    for norm in (
        lambda: utils.clip_grad_norm_([p], 1.0, order, error_if_nonfinite=True),
        lambda: utils.get_total_norm([p.grad], order, error_if_nonfinite=True),
    ):
        if overflows:
            with pytest.raises(RuntimeError, match="is non-finite"):
                norm()
            assert p.grad.tolist() == [largest] * 4  # nothing has changed
    norm = utils.clip_grad_norm_([p], 1.0, order)
    assert norm.dtype == dtype
    assert norm.isinf() == overflows
    wanted = np.full(4, 4 ** (-1 / order))
    np.testing.assert_allclose(p.grad.numpy(), wanted, rtol=1e-6 if dtype != tc.float16 else 2e-2)


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0, 3.0, math.inf, -math.inf, -1.0])
@pytest.mark.parametrize("size", [1e-7, 3e-4, 1.0, 6e4])
def test_norms_of_float16_are_those_of_float64(order, size):
    x = tc.tensor(np.random.default_rng(0).uniform(0.5, 1, 100) * size).half()
    wanted = np.float64(np.linalg.norm(x.numpy().astype(np.float64), order))
    with np.errstate(over="ignore"):
        assert utils.get_total_norm(x, order).item() == wanted.astype(np.float16)


@pytest.mark.parametrize(
    "clip",
    [
        lambda ps: utils.clip_grad_norm_(ps, 1.0),
        lambda ps: utils.clip_grad_value_(ps, 1.0),
        lambda ps: utils.clip_grads_with_norm_(ps, 1.0, 1.0),
    ],
)
def test_a_used_up_generator_is_noticed(clip):
    ps = nn.Linear(2, 2).parameters()
    list(ps)
    with pytest.warns(UserWarning, match="empty generator, no gradient clipping") as caught:
        clip(ps)
    assert caught[0].filename == __file__
    clip([])


def test_clip_grad_value():
    ps = parameters(2)
    before = [p.grad.numpy().copy() for p in ps[:3]]
    utils.clip_grad_value_(ps, 0.5)
    for p, g in zip(ps, before, strict=False):
        assert np.array_equal(p.grad.numpy(), g.clip(-0.5, 0.5))


@given(st.integers(0, 2**32))
def test_a_vector_and_back(seed):
    net, other = (nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)) for _ in range(2))
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (11,)
    utils.vector_to_parameters(vector, other.parameters())
    x = tc.randn(4, 3)
    assert net(x).equal(other(x))
    (vector * tc.arange(11)).sum().backward()
    assert net[1].bias.grad.tolist() == [10.0]


def test_vector_errors_copy_nothing():
    net = nn.Linear(2, 1)
    before = net.weight.clone()
    with pytest.raises(ValueError, match=r"3 elements, got a Tensor of shape \(4,\)"):
        utils.vector_to_parameters(tc.ones(4), net.parameters())
    with pytest.raises(TypeError, match="expected a Tensor, but got: int"):
        utils.vector_to_parameters(3, net.parameters())
    with pytest.raises(ValueError, match="non-empty"):
        utils.parameters_to_vector([])
    assert net.weight.equal(before)
