"""The base of distributions: checks of parameters and values, one's own distributions, divergences."""

import math

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import distributions as D
from tinygrad_cnn.distributions import constraints


def test_checks_can_be_turned_off():
    d = D.Normal(0.0, -1.0, validate_args=False)
    assert math.isnan(d.log_prob(tc.tensor(0.0)).item())
    assert D.Uniform(0.0, 1.0, validate_args=False).log_prob(tc.tensor(2.0)).item() == -math.inf
    with pytest.raises(ValueError, match=r"parameter scale \(Tensor of shape \(\)\) of distribution "
                       r"Normal\(loc: 0.0, scale: -1.0\) to satisfy the constraint GreaterThan"):  # fmt: skip
        D.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match=r"within the support \(Interval\(lower_bound=0.0, upper"):
        D.Uniform(0.0, 1.0).log_prob(tc.tensor(2.0))


def test_ones_own_distribution():
    class Exponential(D.Distribution):
        arg_constraints = {"rate": constraints.positive}  # noqa: RUF012
        support = constraints.nonnegative
        has_rsample = True

        def __init__(self, rate, validate_args=None):
            self.rate = rate
            super().__init__(rate.shape, validate_args=validate_args)

        def rsample(self, sample_shape=()):
            return -tc.rand(*self._extended_shape(sample_shape)).log() / self.rate

        def log_prob(self, value):
            self._validate_sample(value)
            return self.rate.log() - self.rate * value

    d = Exponential(tc.tensor([1.0, 2.0]))
    assert tuple(d.expand((3, 2)).sample((4,)).shape) == (4, 3, 2)
    assert str(d) == "Exponential(rate: torch.Size([2]))"
    with pytest.raises(ValueError, match="constraint GreaterThan"):
        Exponential(tc.zeros(1))
    with pytest.raises(ValueError, match="within the support"):
        d.log_prob(tc.tensor([-1.0, 1.0]))
    for name in ("mean", "variance", "mode", "stddev"):
        with pytest.raises(NotImplementedError, match="Exponential"):
            getattr(d, name)
    with pytest.raises(NotImplementedError, match="No KL.* p type Exponential and q type Normal"):
        D.kl_divergence(d, D.Normal(0.0, 1.0))

    @D.register_kl(Exponential, Exponential)
    def divergence(p, q):
        return p.rate.log() - q.rate.log() + q.rate / p.rate - 1

    class Child(Exponential):
        pass

    assert D.kl_divergence(d, Child(d.rate)).tolist() == [0.0, 0.0]
    with pytest.raises(TypeError, match="expected a subclass of Distribution"):
        D.register_kl(int, Exponential)


def test_divergences_are_mean_differences_of_densities():
    tc.manual_seed(0)
    for p, q in (
        (D.Normal(0.3, 1.2), D.Normal(-0.5, 2.0)),
        (D.Uniform(0.0, 1.0), D.Uniform(-1.0, 2.0)),
        (D.Uniform(0.0, 1.0), D.Normal(0.0, 1.0)),
        (D.Beta(2.0, 3.0), D.Beta(1.0, 1.5)),
        (D.Bernoulli(0.3), D.Bernoulli(0.6)),
        (D.Categorical(tc.tensor([1.0, 2.0])), D.Categorical(tc.tensor([1.0, 1.0]))),
    ):
        x = p.sample((20_000,))
        mean = (p.log_prob(x) - q.log_prob(x)).mean().item()
        assert D.kl_divergence(p, q).item() == pytest.approx(mean, abs=0.02)


def test_a_policy_gradient():
    logits = tc.zeros(3, requires_grad=True)
    d = D.Categorical(logits=logits)
    (-d.log_prob(tc.tensor(2))).backward()
    assert logits.grad.tolist() == pytest.approx([1 / 3, 1 / 3, -2 / 3])


def test_names_of_constraints():
    c = constraints
    texts = [str(x) for x in (c.real, c.positive, c.nonnegative, c.unit_interval, c.boolean, c.simplex,
                              c.real_vector, c.integer_interval(0, 3))]  # fmt: skip
    assert texts == [
        "Real()", "GreaterThan(lower_bound=0.0)", "GreaterThanEq(lower_bound=0.0)",
        "Interval(lower_bound=0.0, upper_bound=1.0)", "Boolean()", "Simplex()",
        "IndependentConstraint(Real(), 1)", "IntegerInterval(lower_bound=0, upper_bound=3)",
    ]  # fmt: skip
    assert c.nonnegative_integer.check(tc.tensor([0.0, 1.5, -1.0])).tolist() == [True, False, False]
