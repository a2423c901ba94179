"""Proofs that vjps are right, by derivatives in exact arithmetic."""

from __future__ import annotations

import threading

import numpy as np

import tinygrad_cnn as tc
from tests.testing.selftest.exact import lifted, parts
from tests.testing.selftest.ideal import IDEAL
from tinygrad_cnn.testing.selftest.case import outputs_of

MOST_ELEMENTS = 24  # each of them alone; of larger inputs, some elements and random directions
FLOOR = 1e-12  # where the gradient is 0, terms of the size of 1 cancel up to rounding


EXACT = 1e-13  # constants such as √π are floats in the formulas


def in_tolerances(error, size, tolerance):
    return error / (tolerance * size) if error > 0 else 0.0


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
    xs, gs = drawn(case, rng)
    gradients = case.functions()[1](xs, gs)
    assert [d.shape for d in gradients] == [x.shape for x in xs]
    assert [d.dtype for d in gradients] == [x.dtype for x in xs]
    return max(
        (error for _, error, _ in errors_of(case, xs, gs, gradients, case.tolerance, rng)),
        default=0,
    )


def error_of_formula(case, seed):
    """The same, of the vjp in exact arithmetic too, in units of EXACT."""
    rng = np.random.default_rng([seed, 11])
    xs, gs = drawn(case, rng)
    still = [lifted(x, np.zeros(x.shape)) for x in (*xs, *gs)]
    found = case.vjp(still[: len(xs)], still[len(xs) :])
    gradients = [parts(d)[0] for d in found]
    return max((error for _, error, _ in errors_of(case, xs, gs, gradients, EXACT, rng)), default=0)


def drawn(case, rng):
    xs = (case.smaller or case.draw)(rng)
    ys = outputs_of(case.functions()[0](*xs))
    return xs, [signed(rng, y.shape).astype(y.dtype) for y in ys]


def errors_of(case, xs, gs, gradients, tolerance, rng):
    """(input, error in units of the tolerance, size of the terms) for each direction."""
    ideal = IDEAL.get(case.name, case.value)
    floor = FLOOR if case.family == "zero gradient" else 0.0
    for k, v in directions(rng, xs):
        given = [lifted(x, v if j == k else np.zeros(x.shape)) for j, x in enumerate(xs)]
        slopes = [parts(y)[1] for y in outputs_of_objects(ideal(*given))]
        error, size = compared(gs, slopes, gradients[k], v)
        yield k, in_tolerances(error - floor, size, tolerance), size


def compared(gs, slopes, gradient, v):
    """|⟨gradient, v⟩ − Σ ⟨g, slopes⟩|, and the sum of the magnitudes of all terms."""
    terms = [g.astype(float) * s for g, s in zip(gs, slopes, strict=True)]
    products = gradient.astype(float) * v
    size = sum(np.abs(t).sum() for t in terms) + np.abs(products).sum()
    return abs(float(products.sum()) - sum(t.sum() for t in terms)), size


def error_of_second(case, seed):
    """The same for the derivative of the vjp: recorded by the package, and of Duals put into it.

    With a `second_tolerance`, relative to the largest terms of the input.
    """
    rng = np.random.default_rng([seed, 12])
    xs, gs = drawn(case, rng)
    hs = [signed(rng, x.shape).astype(x.dtype) for x in xs]
    arrays, gradients = [*xs, *gs], recorded(case.functions()[1], xs, gs, hs)
    floor = FLOOR if case.family == "zero gradient" else 0.0
    errors, largest = [], {}
    for k, v in directions(rng, arrays):
        given = [lifted(x, v if j == k else np.zeros(x.shape)) for j, x in enumerate(arrays)]
        slopes = [parts(d)[1] for d in case.vjp(given[: len(xs)], given[len(xs) :])]
        error, size = compared(hs, slopes, gradients[k], v)
        errors.append((k, max(error - floor, 0.0), size))
        largest[k] = max(largest.get(k, 0.0), size)
    if case.second_tolerance:
        errors = [(k, error, largest[k]) for k, error, _ in errors]
    tolerance = case.second_tolerance or case.tolerance
    return max((in_tolerances(error, size, tolerance) for _, error, size in errors), default=0)


def outputs_of_objects(y):
    return [np.asarray(part, dtype=object) for part in (y if isinstance(y, tuple) else (y,))]


# --- Wrong vjps ----------------------------------------------------------------------------------


def size_of_mistake(wrong, seed):
    """The largest error of an element of the gradient, relative to the larger of both values.

    What "gradient" means depends on `wrong.shows`: see `KINDS`.
    """
    rng = np.random.default_rng([seed, 13])
    xs = wrong.inputs(rng)
    return SHOWN[wrong.shows](wrong, xs, rng)


def cotangents(wrong, xs, rng):
    ys = outputs_of(wrong.right.functions()[0](*copies(xs)))
    draw = wrong.cotangent or (lambda rng, y: signed(rng, y.shape).astype(y.dtype))
    return [draw(rng, y) for y in ys]


def copies(xs):
    """The same arrays in other memory of the same layout."""
    found = []
    for x in xs:
        base = x.base if isinstance(x.base, np.ndarray) and x.base.dtype == x.dtype else None
        if base is None:
            found.append(x.copy(order="K"))
        else:  # a view: the array behind it is copied too
            offset = x.__array_interface__["data"][0] - base.__array_interface__["data"][0]
            found.append(np.ndarray(x.shape, x.dtype, base.copy(order="K"), offset, x.strides))
    return found


def difference(found, wanted):
    worst = 0.0
    for a, b in zip(found, wanted, strict=True):
        a, b = np.asarray(a, float), np.asarray(b, float)
        assert a.shape == b.shape
        with np.errstate(all="ignore"):
            error = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
        error = np.where(a == b, 0, np.where(np.isfinite(a), error, np.inf))
        worst = max(worst, float(error.max(initial=0)))
    return worst


def at_once(wrong, xs, rng):
    """The gradients of one call."""
    gs = cotangents(wrong, xs, rng)
    with np.errstate(all="ignore"):
        found = [np.array(d) for d in wrong.functions()[1](xs, gs)]
    return difference(found, wrong.right.functions()[1](xs, gs))


def at_a_second_call(wrong, xs, rng):
    """The gradients for xs, after a forward and a backward there and elsewhere."""
    value, vjp = wrong.functions()
    gs = cotangents(wrong, xs, rng)
    others = wrong.inputs(rng)
    others = others if [x.shape for x in others] == [x.shape for x in xs] else [-x for x in xs]
    value(*others)
    vjp(others, gs)
    value(*xs)
    value(*others)
    return difference(vjp(xs, gs), wrong.right.functions()[1](xs, gs))


def at_second_order(wrong, xs, rng):
    """The derivative of the gradient, for which the gradient itself is right."""
    assert at_once(wrong, xs, rng) < 1e-12
    gs = cotangents(wrong, xs, rng)
    hs = [signed(rng, x.shape).astype(x.dtype) for x in xs]
    found, wanted = (recorded(vjp, xs, gs, hs) for vjp in (wrong.functions()[1], wrong.right.vjp))
    return difference(found, wanted)


def recorded(vjp, xs, gs, hs):
    inputs = [tc.tensor(x, requires_grad=True) for x in (*xs, *gs)]
    found = vjp(inputs[: len(xs)], inputs[len(xs) :])
    kept = [(d, tc.tensor(h)) for d, h in zip(found, hs, strict=True) if d.requires_grad]
    if not kept:
        return [np.zeros(x.shape) for x in inputs]
    gradients = tc.autograd.grad(
        [d for d, _ in kept], inputs, [h for _, h in kept], materialize_grads=True
    )
    return [d.numpy() for d in gradients]


def in_the_value(wrong, xs, rng):
    """The derivative of the value along random directions, which is not that of the right one."""
    gs = cotangents(wrong, xs, rng)
    value, vjp = wrong.functions()
    assert difference(vjp(xs, gs), wrong.right.vjp(xs, gs)) == 0
    given = [lifted(x, signed(rng, x.shape)) for x in xs]
    if "eighths" in wrong.name:  # NumPy does not round objects: between the steps all is constant
        h = [1e-9 * signed(rng, x.shape) for x in xs]
        assert np.array_equal(value(*xs), value(*(x + d for x, d in zip(xs, h, strict=True))))
        return 1.0
    found, wanted = (
        [parts(y)[1] for y in outputs_of_objects(f(*given))]
        for f in (value, IDEAL.get(wrong.right.name, wrong.right.value))
    )
    return difference(found, wanted)


def writes(wrong, xs, rng):
    """1 if something changed that the functions were given."""
    gs = cotangents(wrong, xs, rng)
    before = [t.copy() for t in (*xs, *gs)]
    value, vjp = wrong.functions()
    value(*xs)
    vjp(xs, gs)
    return (
        1.0 if any(not np.array_equal(a, b) for a, b in zip(before, (*xs, *gs), strict=True)) else 0
    )


def shares_memory(wrong, xs, rng):
    """1 if a later call changes the gradients of an earlier one, which were right."""
    gs = cotangents(wrong, xs, rng)
    _, vjp = wrong.functions()
    found = vjp(xs, gs)
    assert difference(found, wrong.right.vjp(xs, gs)) < 1e-12
    before = [d.copy() for d in found]
    vjp(xs, [2 * g + 1 for g in gs])
    return float(any(not np.array_equal(a, b) for a, b in zip(before, found, strict=True)))


def noise(wrong, xs, rng):
    """The largest difference of eight calls from the right gradient, which must differ."""
    gs = cotangents(wrong, xs, rng)
    value, vjp = wrong.functions()
    found = []
    for _ in range(8):
        value(*xs)
        found.append([np.array(d) for d in vjp(xs, gs)])
    wanted = wrong.right.vjp(xs, gs)
    assert any(difference(found[0], other) > 0 for other in found[1:])
    return max(difference(d, wanted) for d in found)


def in_another_thread(wrong, xs, rng):
    """The gradients that another thread computes, where this one computes the right ones."""
    gs = cotangents(wrong, xs, rng)
    value, vjp = wrong.functions()
    value(*xs)
    wanted = wrong.right.vjp(xs, gs)
    assert difference(vjp(xs, gs), wanted) < 1e-12
    found = []
    thread = threading.Thread(target=lambda: found.extend(vjp(xs, gs)))
    thread.start()
    thread.join()
    return difference(found, wanted)


def dtype_or_shape(wrong, xs, rng):
    """1 if a gradient has another shape or dtype than its input."""
    found = wrong.functions()[1](xs, cotangents(wrong, xs, rng))
    return float(
        any((d.shape, d.dtype) != (x.shape, x.dtype) for d, x in zip(found, xs, strict=True))
    )


def outside_of_both_slopes(wrong, xs, rng):
    """The distance of ⟨gradient, v⟩ from both one-sided slopes along v, which moves all inputs.

    With cotangents of one sign, the slope of a maximum along v lies between the one-sided ones.
    """
    value, vjp = wrong.functions()
    g = np.abs(signed(rng, np.shape(value(*xs)))) + 0.1
    gradients = [np.asarray(d, float) for d in vjp(xs, [g])]
    worst, h = 0.0, 1e-7
    together = [np.ones(x.shape) for x in xs]
    alone = [[np.eye(x.size)[k].reshape(x.shape) for x in xs] for k in range(xs[0].size)]
    for v in (together, *alone):
        at = value(*xs)
        after = value(*(x + h * d for x, d in zip(xs, v, strict=True)))
        before = value(*(x - h * d for x, d in zip(xs, v, strict=True)))
        slopes = sorted([float((g * (after - at)).sum() / h), float((g * (at - before)).sum() / h)])
        given = sum(float((d * w).sum()) for d, w in zip(gradients, v, strict=True))
        off = max(slopes[0] - given, given - slopes[1], 0.0)
        worst = max(worst, off / max(abs(given), *map(abs, slopes), 1e-12))
    return worst


SHOWN = {
    "gradient": at_once,
    "layout": at_once,
    "second call": at_a_second_call,
    "second derivative": at_second_order,
    "forward": in_the_value,
    "writes": writes,
    "memory": shares_memory,
    "noise": noise,
    "threads": in_another_thread,
    "dtype": dtype_or_shape,
    "kink": outside_of_both_slopes,
}
