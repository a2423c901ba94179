"""Proofs that vjps are right, by derivatives in exact arithmetic."""

from __future__ import annotations

import numpy as np

import tinygrad_cnn as tc
from tests.testing.selftest.exact import lifted, parts
from tests.testing.selftest.ideal import IDEAL
from tinygrad_cnn.testing.selftest.case import outputs_of

MOST_ELEMENTS = 24  # each of them alone; of larger inputs, some elements and random directions
FLOOR = 1e-12  # where the gradient is 0, terms of the size of 1 cancel up to rounding


def signed(rng, shape):
    return np.asarray(rng.normal(size=shape))


def directions(rng, xs):
    """(number of the input, direction) pairs: unit vectors, then random ones for what is left."""
    for k, x in enumerate(xs):
        if x.dtype.kind != "f" or not x.size:
            continue
        chosen = range(x.size) if x.size <= MOST_ELEMENTS else rng.choice(x.size, 4, replace=False)
        for flat in chosen:
            v = np.zeros(x.size)
            v[flat] = 1
            yield k, v.reshape(x.shape)
        if x.size > MOST_ELEMENTS:
            yield k, signed(rng, x.shape)


def error_of_vjp(case, seed):
    """The largest error of the vjp, in units of the tolerance of the case.

    Relative to the sum of the magnitudes of the terms Σ |ȳ ∂y| |v|.
    """
    rng = np.random.default_rng([seed, 11])
    xs = (case.smaller or case.draw)(rng)
    value, vjp = case.functions()
    ys = outputs_of(value(*xs))
    gs = [signed(rng, y.shape).astype(y.dtype) for y in ys]
    gradients = vjp(xs, gs)
    assert [d.shape for d in gradients] == [x.shape for x in xs]
    assert [d.dtype for d in gradients] == [x.dtype for x in xs]
    ideal = IDEAL.get(case.name, case.value)
    worst, floor = 0.0, FLOOR if case.family == "zero gradient" else 0.0
    for k, v in directions(rng, xs):
        given = [lifted(x, v if j == k else np.zeros(x.shape)) for j, x in enumerate(xs)]
        slopes = [parts(y)[1] for y in outputs_of_objects(ideal(*given))]
        terms = [g.astype(float) * s for g, s in zip(gs, slopes, strict=True)]
        wanted = sum(t.sum() for t in terms)
        products = gradients[k].astype(float) * v
        size = sum(np.abs(t).sum() for t in terms) + np.abs(products).sum() + floor
        error = abs(float(products.sum()) - wanted)
        worst = max(worst, error / (case.tolerance * size) if error else 0.0)
    return worst


def error_of_second(case, seed):
    """The same for the derivative of the vjp: recorded by the package, and of Duals put into it."""
    rng = np.random.default_rng([seed, 12])
    xs = (case.smaller or case.draw)(rng)
    value, vjp = case.functions()
    gs = [signed(rng, y.shape).astype(y.dtype) for y in outputs_of(value(*xs))]
    inputs = [tc.tensor(x, requires_grad=x.dtype.kind == "f") for x in (*xs, *gs)]
    found = vjp(inputs[: len(xs)], inputs[len(xs) :])
    hs = [signed(rng, d.shape).astype(x.dtype) for d, x in zip(found, xs, strict=True)]
    kept = [(d, tc.tensor(h)) for d, h in zip(found, hs, strict=True) if d.requires_grad]
    wrt = [x for x in inputs if x.requires_grad]
    recorded = tc.autograd.grad(
        [d for d, _ in kept], wrt, [h for _, h in kept], materialize_grads=True
    )
    worst, floor = 0.0, FLOOR if case.family == "zero gradient" else 0.0
    arrays = [*xs, *gs]
    places = [j for j, x in enumerate(inputs) if x.requires_grad]
    for k, v in directions(rng, arrays):
        given = [lifted(x, v if j == k else np.zeros(x.shape)) for j, x in enumerate(arrays)]
        slopes = [parts(d)[1] for d in vjp(given[: len(xs)], given[len(xs) :])]
        terms = [h.astype(float) * s for h, s in zip(hs, slopes, strict=True)]
        wanted = sum(t.sum() for t in terms)
        products = recorded[places.index(k)].numpy().astype(float) * v
        size = sum(np.abs(t).sum() for t in terms) + np.abs(products).sum() + floor
        error = abs(float(products.sum()) - wanted)
        worst = max(worst, error / ((case.second_tolerance or case.tolerance) * size) if error else 0.0)
    return worst


def outputs_of_objects(y):
    return [np.asarray(part, dtype=object) for part in (y if isinstance(y, tuple) else (y,))]
