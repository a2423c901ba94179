"""Updates of both sets, block by block, against NumPy on whole arrays."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tinygrad_cnn.kernels import threads
from tinygrad_cnn.kernels.vectorized import tuning

try:
    from tinygrad_cnn.kernels.compiled import tuning as compiled
except ImportError:
    compiled = None


@pytest.fixture(params=[False, True], ids=["whole", "in blocks"], autouse=True, scope="module")
def blocks(request):
    """Small arrays are also split into many blocks, on three threads."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param:
            patch.setattr(threads, "get_num_threads", lambda: 3)
            patch.setattr(tuning, "UPDATE_BLOCK_ELEMENTS", 7)
        if request.param and compiled:
            patch.setattr(compiled, "SHARED_MULTIPLY_ADDS", 0)
            patch.setattr(compiled, "UPDATE_BLOCK_ELEMENTS", 32)
        yield


def an_update(rate, operations):
    """All given operations, in that order, with numbers as either operand."""

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


@given(
    st.lists(st.sampled_from(BINARY + UNARY), max_size=4),
    st.sampled_from([np.float32, np.float64]),
    st.lists(st.integers(0, 60), max_size=4),
    st.booleans(),
)
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
    """Jobs of one program, with other updates, dtypes, layouts and sizes in between."""

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
    for _ in range(2):  # the second time it may be cached
        k.blockwise([(update, (p, g), 1, (2.0,))])
    assert p.tolist() == [1 + 4 * i for i in range(50)]
    if how in ("method", "object", "partial"):
        of.factor = -4.0
        k.blockwise([(update, (p, g), 1, (2.0,))])
        assert p.tolist() == [1] * 50


NUMBER = 0.0


def test_an_update_does_what_it_says_now(k):
    """An update is traced once. The values that it refers to may differ in the next call."""
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
            rate = tuning.POOLING_PART_ELEMENTS
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
        monkeypatch.setattr(tuning, "POOLING_PART_ELEMENTS", number)
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
    """Its numbers are Python floats, and NumPy chooses the dtypes of temporaries."""
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
    k.blockwise([(update, (g, p), 1, ())])  # read-only is fine for arrays that are only read
    assert g.tolist() == [1] * 50
