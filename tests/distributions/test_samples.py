"""Samples: their order of draws, shapes, dtypes, moments and gradients. The grid has the formulas."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.distributions import Bernoulli, Beta, Categorical, Independent, Normal, Uniform
from tinygrad_cnn.distributions.implicit import beta_sample_gradients

N = 20_000
MAKERS = {
    "Normal": lambda: Normal(tc.tensor([1.0, -2.0]), tc.tensor([0.5, 3.0])),
    "Uniform": lambda: Uniform(tc.tensor([1.0, -2.0]), tc.tensor([1.5, 3.0])),
    "Beta": lambda: Beta(tc.tensor([0.5, 4.0]), tc.tensor([2.0, 0.7])),
    "Bernoulli": lambda: Bernoulli(tc.tensor([0.2, 0.9])),
}


@pytest.mark.parametrize("name", MAKERS)
def test_moments(name):
    tc.manual_seed(0)
    d = MAKERS[name]()
    x = d.sample((N,))
    assert (tuple(x.shape), x.dtype, x.requires_grad) == ((N, 2), tc.float32, False)
    error = 5 * d.stddev.numpy() / N**0.5
    assert (np.abs(x.mean(0).numpy() - d.mean.numpy()) < error).all()
    np.testing.assert_allclose(x.var(0).numpy(), d.variance.numpy(), rtol=0.06)
    inside = d.support.check(x)
    assert bool(inside.all())


def test_frequencies_of_categories():
    tc.manual_seed(0)
    d = Categorical(tc.tensor([[1.0, 2.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]))
    x = d.sample((N,))
    assert (tuple(x.shape), x.dtype) == ((N, 2), tc.int64)
    counts = [np.bincount(x[:, k].numpy(), minlength=4) / N for k in (0, 1)]
    np.testing.assert_allclose(counts, d.probs.numpy(), atol=0.02)
    assert counts[0][2] == counts[1][0] == 0


def test_documented_draws():
    def draws(method, shape, dtype=np.float32):
        return getattr(tc.Generator().manual_seed(3).numpy, method)(shape, dtype)

    def sample(d, shape=(4,)):
        tc.manual_seed(3)
        return d.sample(shape).numpy()

    loc, scale = tc.tensor([1.0, -2.0]), tc.tensor([0.5, 3.0])
    z, u = draws("standard_normal", (4, 2)), draws("random", (4, 2))
    fine = draws("random", (4, 2), np.float64)
    np.testing.assert_array_equal(sample(Normal(loc, scale)), loc.numpy() + scale.numpy() * z)
    low, high = loc.numpy(), (loc + scale).numpy()
    np.testing.assert_array_equal(sample(Uniform(loc, loc + scale)), low + u * (high - low))
    p = tc.tensor([0.3, 0.6])
    np.testing.assert_array_equal(sample(Bernoulli(p)), fine < p.numpy())
    q = tc.tensor([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]])
    ends = np.cumsum(q.numpy(), -1)
    np.testing.assert_array_equal(sample(Categorical(q)), (fine[..., None] >= ends[:, :2]).sum(-1))
    beta = tc.Generator().manual_seed(3).numpy.beta(2.0, 3.0, (4,))
    np.testing.assert_allclose(sample(Beta(2.0, 3.0)), beta, rtol=1e-6)


@pytest.mark.parametrize("name", ["Normal", "Uniform", "Beta"])
def test_rsample_gives_the_numbers_of_sample(name):
    tc.manual_seed(0)
    x = MAKERS[name]().sample((3,))
    tc.manual_seed(0)
    np.testing.assert_array_equal(MAKERS[name]().rsample((3,)).numpy(), x.numpy())


def test_gradients_of_location_and_scale():
    loc, scale = tc.zeros(2, requires_grad=True), tc.ones(2, requires_grad=True)
    for d in (Normal(loc, scale), Uniform(loc, scale)):
        loc.grad = scale.grad = None
        x = d.rsample((5,))
        x.sum().backward()
        z = x.detach().sum(0)
        wanted = (tc.full((2,), 5.0), z) if isinstance(d, Normal) else (5 - z, z)
        np.testing.assert_allclose(
            [loc.grad.numpy(), scale.grad.numpy()], [w.numpy() for w in wanted]
        )


def beta_quantile(u, a, b):
    """By bisection of the distribution function, a sum of Simpson's rule."""
    t = np.linspace(0, 1, 200_001)[1:-1]
    density = t ** (a - 1) * (1 - t) ** (b - 1)
    ends = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.interp(u, ends / ends[-1], t)


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (5.0, 1.5), (20.0, 30.0)])
def test_gradients_of_beta_samples_are_those_of_quantiles(a, b):
    u, h = np.array([0.1, 0.4, 0.5, 0.8, 0.95]), 1e-2
    z = beta_quantile(u, a, b)
    da, db = beta_sample_gradients(z, np.full_like(z, a), np.full_like(z, b))
    wanted_a = (beta_quantile(u, a + h, b) - beta_quantile(u, a - h, b)) / (2 * h)
    wanted_b = (beta_quantile(u, a, b + h) - beta_quantile(u, a, b - h)) / (2 * h)
    np.testing.assert_allclose(da, wanted_a, rtol=1e-3)
    np.testing.assert_allclose(db, wanted_b, rtol=1e-3)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_gradients_of_beta_samples_swap_with_the_parameters(size):
    draw = np.random.default_rng(0)
    a, b = size * draw.uniform(0.5, 2, (2, 50))
    z = np.clip(draw.beta(a, b), 1e-12, 1 - 1e-12)
    da, db = beta_sample_gradients(z, a, b)
    dq, dp = beta_sample_gradients(1 - z, b, a)
    assert np.isfinite([da, db]).all()
    assert (da >= 0).all()
    assert (db <= 0).all()
    inner = (z > 1e-3) & (z < 1 - 1e-3)  # 1 − z is exact enough
    np.testing.assert_allclose(da[inner], -dp[inner], rtol=1e-6)
    np.testing.assert_allclose(db[inner], -dq[inner], rtol=1e-6)


def test_the_gradient_of_a_beta_sample_is_differentiated_once_only():
    a = tc.tensor(2.0, requires_grad=True)
    x = Beta(a, 3.0).rsample()
    (g,) = tc.autograd.grad(x, a, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.backward()


def test_the_mean_of_beta_samples_has_the_gradient_of_the_mean():
    tc.manual_seed(0)
    a, b = tc.tensor(2.0, requires_grad=True), tc.tensor(3.0, requires_grad=True)
    Beta(a, b).rsample((N,)).mean().backward()
    np.testing.assert_allclose([a.grad.item(), b.grad.item()], [3 / 25, -2 / 25], rtol=0.05)


def test_extreme_concentrations():
    tc.manual_seed(0)
    for a, b in ((1e-3, 1e-3), (1e-2, 1e3), (1e6, 1e6), (1e-8, 1.0)):
        parameters = [tc.full((100,), v, requires_grad=True) for v in (a, b)]
        d = Beta(*parameters)
        x = d.rsample()
        x.sum().backward()
        assert np.isfinite([p.grad.numpy() for p in parameters]).all()
        assert np.isfinite(d.log_prob(x.detach()).detach().numpy()).all()


@pytest.mark.parametrize("name", MAKERS)
def test_shapes_empty_and_float64(name):
    d = MAKERS[name]()
    assert tuple(d.sample().shape) == (2,)
    assert tuple(d.sample((0,)).shape) == (0, 2)
    assert tuple(d.sample([3, 1]).shape) == (3, 1, 2)
    assert tuple(d.sample_n(3).shape) == (3, 2)
    wide = d.expand((4, 2))
    assert tuple(wide.sample((3,)).shape) == (3, 4, 2)
    assert tuple(wide.log_prob(wide.sample()).shape) == (4, 2)
    assert type(wide) is type(d)
    kind = type(d)
    values = (tc.tensor([0.4], dtype=tc.float64),) * (1 if name == "Bernoulli" else 2)
    if name == "Uniform":
        values = (values[0] - 1, values[0])
    assert kind(*values).sample().dtype == tc.float64


def test_samples_of_independent_distributions():
    d = Independent(Normal(tc.zeros(2, 3), tc.ones(2, 3)), 1)
    assert (d.has_rsample, d.has_enumerate_support) == (True, False)
    assert tuple(d.rsample((4,)).shape) == (4, 2, 3)
    assert d.mean is d.base_dist.mean
    assert (d.mode == 0).all()
    assert (d.variance == d.stddev).all()
