"""Distributions: densities, moments, entropies and divergences with their derivatives, and errors."""

from .cases import Case, Input, given, integers, positive, real, ties, unit

CASES: list[Case] = []
PARTS = "y = [d.mean, d.variance, d.stddev, d.mode, d.entropy(), d.perplexity()]"


def add(code: str, order: int = 2, grad: tuple[str, ...] | None = None, **inputs: Input) -> None:
    code = "D = torch.distributions\n" + code
    name = f"distributions {len(CASES)} {code.splitlines()[-1]}"
    CASES.append(Case(name, code, inputs, order, grad))


BOTH = "p, q = D.{0}(x, s), D.{0}(z, r)\ny = D.kl_divergence(p, q)"
SHAPES = (((3,), (3,), (3,)), ((2, 3), (3,), (4, 2, 3)), ((), (), (2,)))
for own, other, values in SHAPES:
    add("y = D.Normal(x, s).log_prob(v)", x=real(*own), s=positive(*other), v=real(*values))
    add("y = D.Normal(x, s).cdf(v)", x=real(*own), s=positive(*other), v=real(*values))
    add("y = D.Normal(x, s).icdf(v)", x=real(*own), s=positive(*other), v=unit(*values))
    add(f"d = D.Normal(x, s)\n{PARTS}", x=real(*own), s=positive(*other))
    add(BOTH.format("Normal"), x=real(*own), s=positive(*other), z=real(*own), r=positive(*other))
    add("d = D.Uniform(x, x + s)\ny = d.log_prob(x + v * s), d.cdf(x + v * s), d.icdf(v)",
        x=real(*own), s=positive(*other), v=unit(*values))  # fmt: skip
    add(f"d = D.Uniform(x, x + s)\n{PARTS}", x=real(*own), s=positive(*other))
    add("y = D.kl_divergence(D.Uniform(x, x + s), D.Uniform(x - r, x + s + r))",
        x=real(*own), s=positive(*other), r=positive(*own))  # fmt: skip
    add("y = D.kl_divergence(D.Uniform(x, x + s), D.Normal(z, r))",
        x=real(*own), s=positive(*other), z=real(*own), r=positive(*other))  # fmt: skip
    add("y = D.Beta(x, s).log_prob(v)", x=positive(*own), s=positive(*other), v=unit(*values))
    add("d = D.Beta(x, s)\ny = [d.mean, d.variance, d.stddev, d.entropy(), d.mode.detach()]",
        x=positive(*own), s=positive(*other))  # fmt: skip
    add(BOTH.format("Beta"), x=positive(*own), s=positive(*other), z=positive(*own),
        r=positive(*other))  # fmt: skip
    for kind, weights in (("probs", unit), ("logits", real)):
        add(f"y = D.Bernoulli({kind}=x).log_prob(t.to(x.dtype))", grad=("x",), x=weights(*own),
            t=Input(values, "int", 2))  # fmt: skip
        add(f"d = D.Bernoulli({kind}=x)\ny = [d.mean, d.variance, d.mode, d.entropy(), d.probs, d.logits, "
            "d.enumerate_support(), d.enumerate_support(False), d.param_shape]", x=weights(*own))  # fmt: skip
        add(
            f"y = D.kl_divergence(D.Bernoulli({kind}=x), D.Bernoulli(z))",
            x=weights(*own),
            z=unit(*own),
        )
        many = positive if kind == "probs" else real
        add(
            f"y = D.Categorical({kind}=x).log_prob(t)", x=many(*own, 4), t=integers(*values, high=4)
        )
        add(f"d = D.Categorical({kind}=x)\ny = [d.mean, d.mode, d.entropy(), d.probs, d.logits, "
            "d.enumerate_support(), d.enumerate_support(False), d.param_shape]", x=many(*own, 4))  # fmt: skip
        add(f"y = D.kl_divergence(D.Categorical({kind}=x), D.Categorical(z))", x=many(*own, 4),
            z=positive(*own, 4))  # fmt: skip
EDGES = given([0.0, 1.0, 2.0, 0.0])
add("d = D.Categorical(x)\ny = d.entropy(), d.log_prob(torch.tensor([1, 2]))", x=EDGES)
add("d = D.Categorical(logits=x.log())\ny = d.entropy(), d.probs", order=1, grad=(), x=EDGES)
add("y = D.kl_divergence(D.Categorical(x), D.Categorical(x.flip(0)))", grad=(), x=EDGES)
add("y = D.kl_divergence(D.Bernoulli(x), D.Bernoulli(z))", grad=(),
    x=given([0.0, 1.0, 0.0, 1.0, 0.5, 0.5]), z=given([0.0, 1.0, 1.0, 0.0, 0.0, 1.0]))  # fmt: skip
add("y = D.Beta(x, 1.0).log_prob(torch.tensor([0.0, 0.5, 1.0]).double())", grad=(),
    x=given([1.0, 2.0, 0.5]))  # fmt: skip
add("y = D.Beta(x, z).mode", grad=(), x=given([0.5, 0.5, 1.0, 1.0, 3.0, 0.2]),
    z=given([0.5, 2.0, 1.0, 2.0, 1.0, 0.3]))  # fmt: skip
add("y = D.Uniform(0.0, 1.0).log_prob(x), D.Normal(0.0, 1.0).log_prob(x)", x=unit(3))
add("D.Distribution.set_default_validate_args(False)\ntry:\n    d = D.Normal(x, -1.0)\n"
    "    y = d.log_prob(x), D.Uniform(0.0, 1.0).log_prob(x), D.Uniform(0.0, 1.0).cdf(x)\n"
    "finally:\n    D.Distribution.set_default_validate_args(True)\n", order=1, x=ties(4))  # fmt: skip
for n in (0, 1, 2):
    add(f"d = D.Independent(D.Normal(x, s), {n})\ny = d.log_prob(v), d.entropy(), d.batch_shape, "
        "d.event_shape, str(d), str(d.support)", x=real(2, 3), s=positive(3), v=real(4, 2, 3))  # fmt: skip
add("p, q = (D.Independent(D.Normal(m, s), 1) for m in (x, z))\n"
    "y = D.kl_divergence(p, q), p.expand((5, 2)).log_prob(x), p.expand((5, 2)).sample((3,)).shape",
    x=real(2, 3), s=positive(2, 3), z=real(2, 3))  # fmt: skip
add("y = [str(d) for d in (D.Normal(0.0, 1.0), D.Normal(x, 1.0), D.Beta(1.0, x.exp()), D.Bernoulli(0.25), "
    "D.Bernoulli(logits=x), D.Categorical(x.exp()), D.Uniform(0, 2))]", grad=(), x=real(2))  # fmt: skip
add("y = [str(d.support) for d in (D.Normal(0.0, 1.0), D.Beta(1.0, 2.0), D.Bernoulli(0.25), "
    "D.Categorical(x.exp()), D.Uniform(0.0, 2.0))]", grad=(), x=real(2))  # fmt: skip
add("d = D.Normal(x, 1.0).expand((3, 2))\ny = d.loc, d.scale, d.batch_shape, str(d)", x=real(2))
add("d = D.Categorical(logits=x).expand((3, 2))\ny = d.logits, d.entropy(), str(d)", x=real(2, 4))
add("y = [(d.has_rsample, d.has_enumerate_support) for d in (D.Normal, D.Uniform, D.Beta, D.Bernoulli, "
    "D.Categorical)]", x=real(1), grad=())  # fmt: skip
add("y = torch.lgamma(x), x.digamma(), x.lgamma()", x=given([-1.5, -0.3, 0.2, 1.0, 2.5, 30.0, 1e5]))
add("y = torch.lgamma(x), torch.digamma(x)", order=1, grad=(),
    x=given([0.0, -0.0, -1.0, float("inf"), float("nan")]))  # fmt: skip

ERRORS = [
    "Normal(0.0, -1.0)", "Normal(torch.zeros(2), torch.tensor([1.0, float('nan')]))", "Bernoulli(1.5)",
    "Normal(float('nan'), 1.0)", "Bernoulli()", "Bernoulli(0.3, 0.2)", "Categorical()",
    "Categorical(torch.tensor(1.0))", "Categorical(torch.tensor([-1.0, 2.0]))", "Uniform(1.0, 1.0)",
    "Categorical(torch.zeros(2))", "Beta(-1.0, 1.0)", "Normal('a', 1.0)",
    "Independent(torch.distributions.Normal(0.0, 1.0), 1)", "Uniform(torch.zeros(2), torch.ones(3))",
    "Normal(0.0, 1.0).log_prob(3.0)", "Normal(torch.zeros(2), 1.0).log_prob(torch.zeros(3))",
    "Normal(0.0, 1.0).log_prob(torch.tensor(float('nan')))", "Normal(0.0, 1.0).sample(2)",
    "Uniform(0.0, 1.0).log_prob(torch.tensor(2.0))", "Bernoulli(0.3).log_prob(torch.tensor(0.5))",
    "Categorical(torch.ones(3)).log_prob(torch.tensor(3))", "Beta(1.0, 1.0).log_prob(torch.tensor(1.5))",
    "Categorical(torch.ones(3)).log_prob(torch.tensor(1.5))", "Bernoulli(0.3).rsample()",
    "Normal(torch.zeros(2), 1.0).expand((3,))", "Categorical(torch.ones(3)).rsample()",
    "Normal(0.0, 1.0).enumerate_support()", "Categorical(torch.ones(3)).cdf(torch.tensor(1))",
    "Independent(torch.distributions.Bernoulli(torch.ones(2)), 1).enumerate_support()",
    "Independent(torch.distributions.Normal(torch.zeros(2), 1.0), 1).log_prob(torch.zeros(3))",
    "Normal(torch.tensor(0), torch.tensor(1)).sample()", "Distribution().sample()",
    "Distribution.set_default_validate_args(3)",
]  # fmt: skip
for call in ERRORS:
    CASES.append(Case(f"distributions.{call}", f"torch.distributions.{call}"))
