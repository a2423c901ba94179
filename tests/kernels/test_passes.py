"""The passes over memory, of both sets: normalisation and updates, against their definitions."""

import functools
import importlib
import math

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from tinygrad_cnn.kernels import _blockwise, _parts, _threads, vectorized

from .layouts import lying

try:
    from tinygrad_cnn.kernels import compiled
    from tinygrad_cnn.kernels.compiled import _calls, normalization
except ImportError:
    compiled = None


@pytest.fixture(params=[False, True], ids=["whole", "in parts"], autouse=True, scope="module")
def parts(request):
    """The small shapes of the tests go the ways of large ones, the second time in many parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_parts, "LARGE", 0)
        if compiled:
            patch.setattr(normalization, "FEW", 0)
        if request.param:
            patch.setattr(_parts, "workers", lambda: 3)
            patch.setattr(_parts, "PART", 17)
            patch.setattr(_parts, "RUN", 40)
            patch.setattr(_blockwise, "BLOCK", 7)
        if request.param and compiled:
            patch.setattr(_calls, "SOME", 0)
            patch.setattr(_calls, "workers", lambda: 3)
            patch.setattr(importlib.import_module(f"{compiled.__name__}.blockwise"), "BLOCK", 32)
            patch.setattr(normalization, "ROWS", 3)
            patch.setattr(normalization, "RUN", 5)
        _parts._table.cache_clear()
        yield
    _parts._table.cache_clear()


KINDS = {  # of shape (N, G, c, H, W) or its like: dims, and the axes along which the weight varies
    "batch": ((0, 2, 3), (1,)), "instance": ((2, 3), (1,)), "group": ((2, 3, 4), (1, 2)),
    "layer": ((2, 3), (2, 3)), "rows": ((1,), (1,)), "all": ((0, 1), ()), "one": ((), (0,)),
}  # fmt: skip
NDIM = {"group": 5, "rows": 2, "all": 2, "one": 2}


@st.composite
def cases(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    sizes = st.sampled_from([1, 2, 3, 5, 17, 40, 70])
    shape = [draw(st.sampled_from([1, 2, 3]))] + [draw(sizes) for _ in range(NDIM.get(kind, 4) - 1)]
    while np.prod(shape) > 1 << 14:
        shape[shape.index(max(shape))] = 3
    orders = [draw(st.permutations(range(len(shape)))) for _ in "xg"]
    ends = (0, *range(2, len(shape)), 1), (*range(1, len(shape)), 0), tuple(range(len(shape)))
    orders = [draw(st.sampled_from([*ends, order])) for order in orders]
    if draw(st.booleans()):
        orders[1] = orders[0]
    gaps = draw(st.sampled_from([0, 0, 3])), draw(st.sampled_from([0, 0, 1]))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.float16]))
    return kind, tuple(shape), orders, gaps, dtype, draw(st.integers(0, 2**32))


def drawn(case):
    kind, shape, orders, gaps, dtype, seed = case
    rng = np.random.default_rng(seed)
    dims, varying = KINDS[kind]
    x, g = (rng.normal(3, 2, shape).astype(dtype) for _ in "xg")
    kept = [1 if d in dims else n for d, n in enumerate(shape)]
    affine = [n if d in varying else 1 for d, n in enumerate(shape)]
    x, g = (lying(v, o, e) for v, o, e in zip((x, g), orders, gaps, strict=True))
    mu, s, t = (rng.normal(size=kept).astype(dtype) for _ in "mst")
    scale = rng.uniform(0.5, 2, kept).astype(dtype)
    weight, bias = (rng.normal(size=affine).astype(dtype) for _ in "wb")
    weight, bias = (None if rng.random() < 0.2 else v for v in (weight, bias))
    return dims, x, g, mu, scale, weight, bias, s, t


def near(actual, expected, dtype):
    assert actual.dtype == dtype
    assert actual.shape == expected.shape
    scale = max(1, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=200 * np.finfo(dtype).eps * scale)


def wide(*arrays):
    return [None if v is None else np.asarray(v, np.float64) for v in arrays]


BATCH_LAST = ("batch", (2, 70, 5, 3), [(0, 2, 3, 1)] * 2, (3, 1), np.float32, 0)
INSTANCES = ("instance", (3, 17, 5, 3), [(0, 2, 3, 1)] * 2, (0, 0), np.float32, 1)
ROWS = ("layer", (2, 3, 17, 5), [(0, 1, 2, 3)] * 2, (0, 0), np.float32, 2)


@given(cases())
@example(BATCH_LAST)
@example(INSTANCES)
@example(ROWS)
@settings(deadline=None)
def test_normalisation_is_its_definition(k, case):
    dims, x, g, mu, scale, weight, bias, s, t = drawn(case)
    dtype = x.dtype
    X, G, M, R, W, B, S, T = wide(x, g, mu, scale, weight, bias, s, t)
    mean, variance = k.moments(x, dims)
    if dtype != np.float16:
        near(mean, X.mean(axis=dims, keepdims=True), dtype)
        near(variance, X.var(axis=dims, keepdims=True), dtype)
        of_g, of_gd = k.moments_with(g, x, mu, dims)
        m = X.size / of_g.size
        near(of_g / m, G.mean(axis=dims, keepdims=True), dtype)
        near(of_gd / m, (G * (X - M)).mean(axis=dims, keepdims=True), dtype)
        of_h, of_hd = k.moments_with(g, x, mu, dims, weight)
        H = G if W is None else G * W
        near(of_h / m, H.mean(axis=dims, keepdims=True), dtype)
        near(of_hd / m, (H * (X - M)).mean(axis=dims, keepdims=True), dtype)
        rest = tuple(d for d in range(x.ndim) if d not in dims)
        of_g, of_gx = k.weight_sums(g, x, mu, scale, rest)
        m = X.size / of_g.size
        near(of_g / m, G.mean(axis=rest, keepdims=True), dtype)
        near(of_gx / m, (G * (X - M) * R).mean(axis=rest, keepdims=True), dtype)
    W, B = 1 if W is None else W, 0 if B is None else B
    near(k.normalize(x, mu, scale, weight, bias), (X - M) * R * W + B, dtype)
    wanted = R * (W * G - S - T * (X - M))
    near(k.normalize_input(g, x, mu, scale, weight, s, t), wanted, dtype)


@pytest.mark.parametrize("dims", [(0, 2, 3), (1, 2, 3), (2, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("orders", [((0, 2, 3, 1), (0, 3, 2, 1)), ((0, 2, 3, 1), (0, 1, 2, 3))])
def test_what_is_summed_may_lie_in_two_orders(k, dims, orders):
    """A layer norm after a convolution, whose gradient comes from a linear layer: both have the classes
    in one order, and were taken for alike, though what is summed is not.
    """
    rng = np.random.default_rng(0)
    x, g = (lying(rng.normal(size=(3, 4, 5, 6)), order) for order in orders)
    mu, s, t = rng.normal(size=(3, *np.mean(x, dims, keepdims=True).shape))
    of_g, of_gd = k.moments_with(g, x, mu, dims)
    near(of_g, g.sum(dims, keepdims=True), x.dtype)
    near(of_gd, (g * (x - mu)).sum(dims, keepdims=True), x.dtype)
    near(k.normalize_input(g, x, mu, s, None, s, t), s * (g - s - t * (x - mu)), x.dtype)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)])
def test_the_variance_of_numbers_far_from_zero(k, order):
    """Σ x² / m − μ² would have no digit left."""
    rng = np.random.default_rng(0)
    x = lying((4096 + rng.normal(size=(5, 8, 9, 7))).astype(np.float32), order)
    mean, variance = k.moments(x, (0, 2, 3))
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 2, 3), keepdims=True), rtol=2e-6)
    np.testing.assert_allclose(variance, exact.var((0, 2, 3), keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_class(k, value):
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype(np.float32)
    x[1, 2, 3, 4] = value
    for order in ((0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)):
        with np.errstate(invalid="ignore"):
            mean, variance = k.moments(lying(x, order), (0, 2, 3))
        assert np.isfinite(mean.ravel()).tolist() == [True, True, False, True]
        np.testing.assert_equal(mean.ravel()[2], value)
        assert np.isnan(variance.ravel()).tolist() == [False, False, True, False]


@given(cases())
@settings(deadline=None)
def test_the_same_bits_twice(k, case):
    dims, x, g, mu, scale, weight, *_ = drawn(case)
    for call in (
        lambda: k.moments(x, dims),
        lambda: k.moments_with(g, x, mu, dims),
        lambda: [k.normalize(x, mu, scale, weight, None)],
    ):
        assert all(np.array_equal(a, b) for a, b in zip(call(), call(), strict=True))


def test_sums_hold_blas_at_one_thread(monkeypatch):
    """It has two from 2¹⁸ numbers on, and its second looks for work for 20 ms: until this was held, a
    ResNet's convolutions took as long on two threads as on one.
    """
    blas, counts, ones = _threads._openblas(), set(), np.ones
    if blas is None:
        pytest.skip("another BLAS")

    def counted(*arguments, **options):
        counts.add(blas[0]())
        return ones(*arguments, **options)

    x = lying(np.zeros((2, 64, 64, 64), np.float32), (0, 2, 3, 1))
    monkeypatch.setattr(np, "ones", counted)
    vectorized.moments(x, (0, 2, 3))
    assert counts == {1}


@given(cases())
@settings(deadline=None)
def test_the_same_bits_on_one_thread(case):
    dims, x, g, mu, *_ = drawn(case)

    def sums():
        return *vectorized.moments(x, dims), *vectorized.moments_with(g, x, mu, dims)

    bits = sums()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_parts, "workers", lambda: 1)
        assert all(np.array_equal(a, b) for a, b in zip(bits, sums(), strict=True))


def test_a_part_is_in_the_callers_error_state():
    x = np.full((2, 4, 5, 6), np.inf, np.float32)
    with np.errstate(invalid="ignore"):
        assert np.isnan(vectorized.moments(x, (0, 2, 3))[1]).all()
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        vectorized.moments(x, (0, 2, 3))


# -- updates, block by block ---------------------------------------------------------------------


def an_update(rate, operations):
    """Every operation that there is, in the order given, and numbers on either side."""

    def update(arrays, scratch, numbers):
        (p, g, v), (s, d), (x, y) = arrays, scratch, numbers
        np.copyto(s, g)
        d.fill(rate)
        for name in operations:
            ufunc = getattr(np, name)
            if ufunc.nin == 1:
                ufunc(s, out=s)
            else:
                ufunc(s, v, out=s)
                ufunc(2.5, s, out=s)
                ufunc(s, x, out=s)
                ufunc(s, d, out=s)
        np.add(v, y, out=v)
        np.add(v, s, out=v)
        np.subtract(p, v, out=p)

    return update


BINARY, UNARY = (
    ["add", "subtract", "multiply", "divide", "maximum"],
    ["sqrt", "negative", "absolute"],
)


@given(st.lists(st.sampled_from(BINARY + UNARY), max_size=4), st.sampled_from([np.float32, np.float64]),
       st.lists(st.integers(0, 60), max_size=4), st.booleans())  # fmt: skip
@settings(deadline=None)
def test_updates_have_the_bits_of_numpy(k, operations, dtype, sizes, special):
    rng = np.random.default_rng(len(sizes))
    update, jobs, wanted = an_update(0.3, operations), [], []
    for n in sizes:
        arrays = [rng.normal(size=(n, 2)).astype(dtype) for _ in "pgv"]
        if special:
            arrays[1][:1] = np.nan, -np.inf
        jobs.append((update, arrays, 2, (rng.normal(), rng.choice([0.0, -0.0]))))
        wanted.append([a.copy() for a in arrays])
        with np.errstate(all="ignore"):
            update(wanted[-1], [np.empty_like(arrays[0]) for _ in "sd"], jobs[-1][-1])
    k.blockwise(jobs)
    for (_, arrays, *_), expected in zip(jobs, wanted, strict=True):
        for one, other in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(np.signbit(one), np.signbit(other))


def halve_and_add(arrays, scratch, numbers):
    (p, g), _, (number,) = arrays, scratch, numbers
    np.multiply(p, 0.5, out=p)
    np.add(p, g, out=p)
    np.add(p, number, out=p)


@pytest.mark.parametrize("way", ["twice", "shifted", "read"])
def test_jobs_that_share_memory_run_in_order(k, way):
    memory, g = np.zeros(40_000), np.arange(40_000.0)[:39_000]
    first = memory[:39_000]
    second = {"twice": first, "shifted": memory[1_000:], "read": np.zeros(39_000)}[way]
    of_second = first if way == "read" else g
    wanted = memory.copy()
    mine = {"twice": wanted[:39_000], "shifted": wanted[1_000:], "read": np.zeros(39_000)}[way]
    halve_and_add((wanted[:39_000], g), (), (1.0,))
    halve_and_add((mine, wanted[:39_000].copy() if way == "read" else g), (), (2.0,))
    k.blockwise([(halve_and_add, (first, g), 0, (1.0,)),
                 (halve_and_add, (second, of_second), 0, (2.0,))])  # fmt: skip
    np.testing.assert_array_equal(memory, wanted)
    np.testing.assert_array_equal(second, mine)


def test_jobs_of_all_kinds_follow_each_other(k):
    """Other updates, dtypes, layouts and sizes between those of one program."""

    def double(arrays, scratch, numbers):
        np.multiply(arrays[0], 2, out=arrays[0])

    def job(p, update=halve_and_add, numbers=(1.0,)):
        return update, (p, np.ones_like(p)), 0, numbers

    p = np.zeros(1000)
    given = [p, np.zeros((4, 6)).T, np.zeros(3, np.float32), p, np.zeros(()), np.zeros((0, 2)), p,
             np.zeros((8, 6))[::2], p]  # fmt: skip
    k.blockwise([*map(job, given), job(p, double, ()), job(p)])
    assert all((a == 2).all() for a in given[1:] if a is not p)
    assert (p == 0.5 * 2 * 3.75 + 2).all()


@pytest.mark.parametrize("how", ["operation", "number", "dtype", "closure", "decides", "computes",
                                 "converts", "method", "object", "partial"])  # fmt: skip
def test_an_update_that_has_no_program_is_numpys(k, how):
    unhashable = [2.0]

    class Update:
        factor = 2.0

        def method(self, arrays, scratch, numbers):
            np.multiply(arrays[1], self.factor, out=scratch[0])
            np.add(arrays[0], scratch[0], out=arrays[0])

        def __call__(self, *given):
            self.method(*given)

    def update(arrays, scratch, numbers):
        (p, g), (s,), (two,) = arrays, scratch, numbers
        if how == "closure":
            np.multiply(g, unhashable[0], out=s)
        elif how == "decides":
            np.multiply(g, 2.0 if two == 2 else 3.0, out=s)
        elif how == "computes":
            np.multiply(g, 1 + two / 2, out=s)
        elif how == "converts":
            np.multiply(g, math.sqrt(two * 2), out=s)
        elif how == "operation":
            np.add(np.exp2(np.ones_like(p)), 0.0, out=s)
            np.multiply(s, g, out=s)
        elif how == "number":
            np.multiply(g, np.float64(2), out=s)
        else:
            np.multiply(g, 2.0, out=s)
        np.add(p, s, out=p)

    dtype = np.float16 if how == "dtype" else np.float64
    p, g = np.ones(50, dtype), np.arange(50).astype(dtype)
    of = Update()
    update = {"method": of.method, "object": of, "partial": functools.partial(of.method)}.get(
        how, update
    )
    for _ in range(2):  # the second time it may be known
        k.blockwise([(update, (p, g), 1, (2.0,))])
    assert p.tolist() == [1 + 4 * i for i in range(50)]
    if how in ("method", "object", "partial"):
        of.factor = -4.0
        k.blockwise([(update, (p, g), 1, (2.0,))])
        assert p.tolist() == [1] * 50


NUMBER = 0.0


def test_an_update_does_what_it_says_now(k):
    """Compiled, it is traced once: with what it refers to, which may be another the next time."""
    p, g = np.zeros(50), np.full(50, -0.0)
    settings = type("Settings", (), {})()

    def of(number):
        def by_default(arrays, scratch, numbers, number=number):
            np.add(arrays[1], number, out=arrays[0])

        def by_attribute(arrays, scratch, numbers):
            np.add(arrays[1], settings.number, out=arrays[0])

        def by_closure(arrays, scratch, numbers):
            np.add(arrays[1], number, out=arrays[0])

        def by_global(arrays, scratch, numbers):
            np.add(arrays[1], NUMBER, out=arrays[0])

        def by_name(arrays, scratch, numbers, *, number=number):
            np.add(arrays[1], number, out=arrays[0])

        def by_argument(arrays, scratch, numbers):
            np.add(arrays[1], numbers[0], out=arrays[0])

        globals()["NUMBER"] = settings.number = number
        return by_default, by_attribute, by_closure, by_global, by_name, by_argument

    for number in (1.0, 2.0, 0.0, -0.0):
        for update in of(number):
            k.blockwise([(update, (p, g), 1, (number,))])
            assert p.tolist() == [number] * 50
            assert np.signbit(p[0]) == np.signbit(number)


class Rate:
    now = 0.5


def rate_of_a_global():
    return NUMBER


@pytest.mark.parametrize("of", ["class", "module", "helper", "nested", "random"])
def test_an_update_sees_what_changed_elsewhere(k, of, monkeypatch):
    def update(arrays, scratch, numbers):
        if of == "class":
            rate = Rate.now
        elif of == "module":
            rate = vectorized.PLANE_CELLS
        elif of == "helper":
            rate = rate_of_a_global()
        elif of == "nested":
            rate = (lambda: NUMBER)()
        else:
            rate = np.random.random()
        np.add(arrays[1], rate, out=arrays[0])

    p, g, found = np.zeros(50), np.zeros(50), []
    for number in (2.0, 3.0):
        monkeypatch.setattr(Rate, "now", number)
        monkeypatch.setattr(vectorized, "PLANE_CELLS", number)
        monkeypatch.setitem(globals(), "NUMBER", number)
        k.blockwise([(update, (p, g), 0, ())])
        found.append(p[0])
    assert found[0] != found[1] if of == "random" else found == [2.0, 3.0]


def test_an_update_may_use_what_arrays_have(k):
    def update(arrays, scratch, numbers):
        (p, g), (s,) = arrays, scratch
        np.copyto(s, g.clip(-1, 1).reshape(p.shape), "same_kind")
        p -= s.astype(p.dtype)

    p, g = np.zeros(50), np.arange(50.0)
    k.blockwise([(update, (p, g), 1, ())])
    assert p.tolist() == [0] + [-1] * 49


def by_two_numbers(arrays, scratch, numbers):
    (p, g), (rate, beta) = arrays, numbers
    p -= g * (rate / (1 - beta))


def by_truths(arrays, scratch, numbers):
    p, g = arrays
    p *= np.where(g > 0, 1.3, 0.6)
    p += (g > 0) * 0.1
    np.copyto(p, np.where(g, p, 0.25))


def by_a_comparison(arrays, scratch, numbers):
    np.not_equal(arrays[1], 0, out=scratch[0])
    np.multiply(arrays[0], scratch[0], out=arrays[0])


@pytest.mark.parametrize("update", [by_two_numbers, by_truths, by_a_comparison])
def test_an_update_that_makes_what_it_was_not_given_has_the_bits_of_numpy(k, update):
    """Its numbers are Python's, of double precision, and NumPy chooses the dtypes."""
    p = np.linspace(0, 1, 50, dtype=np.float32)
    g = np.resize(np.array([1, np.nan, 0, -2], np.float32), 50)
    wanted = p.copy()
    update((wanted, g), [np.empty_like(p)], (0.003, 0.999))
    k.blockwise([(update, (p, g), 1, (0.003, 0.999))])
    np.testing.assert_array_equal(p, wanted)


@pytest.mark.parametrize("n", [600, 40_000])
def test_arrays_of_other_shapes_are_numpys_to_refuse(k, n):
    p, g = np.zeros(n), np.ones(n)
    with pytest.raises(ValueError, match="broadcast"):
        k.blockwise([(an_update(0.3, []), (p, g, np.zeros(4)), 2, (1.0, 1.0))])

    def add_both(arrays, scratch, numbers):
        np.add(arrays[0], arrays[1], out=arrays[0])
        np.add(arrays[0], arrays[2], out=arrays[0])

    p[...] = 0
    k.blockwise([(add_both, (p, g, np.ones(())), 0, ())])  # or to broadcast
    assert (p == 2).all()


@pytest.mark.parametrize("n", [100, 40_000])
def test_a_gradient_in_the_memory_of_its_parameter(k, n):
    memory = np.arange(n + 1.0)
    p, g = memory[1:], memory[:-1]
    wanted = 0.5 * p + g + 1
    k.blockwise([(halve_and_add, (p, g.copy()), 0, (1.0,))])
    np.testing.assert_array_equal(p, wanted)

    def subtract(arrays, scratch, numbers):
        np.multiply(arrays[1], 0.5, out=scratch[0])
        np.subtract(arrays[0], scratch[0], out=arrays[0])

    wanted = p - 0.5 * g
    k.blockwise([(subtract, (p, g), 1, ())])
    np.testing.assert_array_equal(p, wanted)


def test_an_update_does_not_write_into_what_is_read_only(k):
    memory = bytes(400)
    p, g = np.frombuffer(memory), np.ones(50)

    def update(arrays, scratch, numbers):
        np.add(*arrays, out=arrays[0])

    with pytest.raises(ValueError, match="read-only"):
        k.blockwise([(update, (p, g), 1, ())])
    assert not any(memory)
    k.blockwise([(update, (g, p), 1, ())])  # what is only read may be
    assert g.tolist() == [1] * 50
