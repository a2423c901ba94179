"""Random Tensors: values in their range, dtypes, generators, arguments, and in-place draws."""

import pytest

import tinygrad_cnn as tc


@pytest.mark.parametrize(
    ("make", "dtype", "values"),
    [
        (lambda: tc.normal(tc.arange(2.0), 0.0), "float32", [0.0, 1.0]),
        (lambda: tc.normal(0.0, tc.zeros(2)), "float32", [0.0, 0.0]),
        (lambda: tc.normal(tc.ones(2), tc.zeros(1, 2)), "float32", [[1.0, 1.0]]),
        (lambda: tc.normal(2.0, 0.0, (1,), dtype=tc.float64), "float64", [2.0]),
        (lambda: tc.normal(mean=2, std=0, size=[1]), "float32", [2.0]),
        (lambda: tc.bernoulli(tc.ones(2)), "float32", [1.0, 1.0]),
        (lambda: tc.bernoulli(tc.ones(2), 0.0), "float32", [0.0, 0.0]),
        (lambda: tc.bernoulli(tc.ones(1), out=tc.zeros(1)), "float32", [1.0]),
        (lambda: tc.ones(2).bernoulli(p=1), "float32", [1.0, 1.0]),
        (lambda: tc.randint(high=1, size=(2,)), "int64", [0, 0]),
        (lambda: tc.randint(1, (2,)), "int64", [0, 0]),
        (lambda: tc.randint(1, size=(2,)), "int64", [0, 0]),
        (lambda: tc.randint(3, 4, (1,), dtype=tc.float32), "float32", [3.0]),
        (lambda: tc.randint(low=3, high=4, size=(1,)), "int64", [3]),
        (lambda: tc.randint_like(tc.zeros(2), 1), "float32", [0.0, 0.0]),
        (lambda: tc.randint_like(tc.zeros(2), high=1), "float32", [0.0, 0.0]),
        (lambda: tc.randint_like(tc.arange(1), 2, 3), "int64", [2]),
        (lambda: tc.randint_like(tc.arange(1), low=2, high=3, dtype=float), "float64", [2.0]),
        (lambda: tc.randperm(1), "int64", [0]),
        (lambda: tc.randperm(1, dtype=tc.float32), "float32", [0.0]),
        (lambda: tc.multinomial(tc.tensor([0.0, 1.0]), 2, replacement=True), "int64", [1, 1]),
        (lambda: tc.eye(2).multinomial(num_samples=1), "int64", [[0], [1]]),
        (lambda: tc.rand(1, out=tc.zeros(1), generator=tc.Generator()) < 1, "bool", [True]),
    ],
)
def test_values_and_types(make, dtype, values):
    x = make()
    assert x.dtype is getattr(tc, dtype)
    assert x.tolist() == values


def test_what_is_drawn_lies_where_it_should():
    generator = tc.Generator().manual_seed(0)
    x = tc.rand(1000, generator=generator, dtype=tc.float64)
    assert 0 <= x.min().item() < x.max().item() < 1
    x = tc.randn(1000, generator=generator)
    assert abs(x.mean().item()) < 0.2
    assert abs(x.std().item() - 1) < 0.1
    x = tc.randint(2, 5, (1000,), generator=generator)
    assert set(x.tolist()) == {2, 3, 4}
    assert sorted(tc.randperm(9, generator=generator).tolist()) == list(range(9))
    x = tc.bernoulli(tc.full((1000,), 0.25), generator=generator)
    assert abs(x.mean().item() - 0.25) < 0.06
    x = tc.multinomial(tc.tensor([1.0, 0.0, 3.0]), 1000, True, generator=generator)
    assert abs((x == 2).double().mean().item() - 0.75) < 0.06
    same = tc.rand(3, generator=generator.manual_seed(0))
    assert same.tolist() == tc.rand(3, generator=generator.manual_seed(0)).tolist()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.randint(3, 3, (1,)), RuntimeError, "'from' to be less than 'to'"),
        (lambda: tc.randint(3), TypeError, r'randint\(\) missing 1 required .*"size"'),
        (lambda: tc.randint(3, 4), TypeError, r'randint\(\) missing 1 required .*"size"'),
        (lambda: tc.randint(2.5, (2,)), TypeError, "argument 'high' must be int, not float"),
        (
            lambda: tc.randint_like(2.0, 3),
            TypeError,
            r"randint_like\(\) received an invalid combination",
        ),
        (lambda: tc.rand(1, dtype=tc.long), NotImplementedError, "floating point"),
        (lambda: tc.rand_like(tc.arange(2)), NotImplementedError, "floating point"),
        (lambda: tc.normal(), TypeError, "received an invalid combination"),
        (
            lambda: tc.normal(0.0, 1.0),
            TypeError,
            r"normal\(\) received an invalid .* got \(float, float\)",
        ),
        (lambda: tc.normal(tc.ones(2), 1.0, (2,)), TypeError, r"got \(Tensor, float, tuple\)"),
        (lambda: tc.normal(0.0, -1.0, (1,)), RuntimeError, "std >= 0.0"),
        (lambda: tc.normal(tc.ones(2), tc.ones(3)), RuntimeError, "do not broadcast"),
        (lambda: tc.bernoulli(tc.tensor([1.5])), RuntimeError, "p_in >= 0 && p_in <= 1"),
        (lambda: tc.bernoulli(0.5), TypeError, r"bernoulli\(\): argument 'input' \(position 1\)"),
        (lambda: tc.multinomial(tc.tensor([1.0]), 2), RuntimeError, "without replacement"),
        (lambda: tc.multinomial(tc.tensor([1.0]), 0), RuntimeError, "n_sample <= 0"),
        (lambda: tc.multinomial(tc.tensor([1.0]), 1.5), TypeError, "'num_samples' must be int"),
        (lambda: tc.multinomial(tc.tensor([-1.0]), 1), RuntimeError, "element < 0"),
        (lambda: tc.randperm(-1), RuntimeError, "negative dimension -1"),
        (lambda: tc.randperm(2.5), TypeError, "argument 'n' must be int, not float"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- In place -------------------------------------------------------------------------------------


def test_what_is_drawn_in_place():
    x = tc.empty(1000, dtype=tc.float64)
    assert x.uniform_(2, 3) is x
    assert 2 <= x.min().item() < x.max().item() < 3
    assert abs(x.normal_(5, 0.1).mean().item() - 5) < 0.1
    assert set(x.bernoulli_(0.5).tolist()) == {0.0, 1.0}
    assert set(x.long().random_(3).tolist()) == {0, 1, 2}
    assert (x.exponential_(2.0) > 0).all()
    for call in (lambda: x.uniform_(3, 2), lambda: x.normal_(0, -1), lambda: x.exponential_(0)):
        with pytest.raises(RuntimeError):
            call()


def test_pytorchs_names_of_arguments_in_place():
    x = tc.zeros(4)
    assert x.normal_(mean=2.0, std=0.0).tolist() == [2.0] * 4
    assert x.uniform_(**{"from": 3.0, "to": 3.0}).tolist() == [3.0] * 4
    assert x.random_(**{"from": 4, "to": 5}).tolist() == [4.0] * 4
    assert x.random_(to=1).tolist() == [0.0] * 4
    assert x.bernoulli_(p=tc.tensor([0.0, 1.0]).repeat(2)).tolist() == [0.0, 1.0] * 2
    assert (x.exponential_(lambd=1.0, generator=tc.Generator()) > 0).all()
    with pytest.raises(TypeError, match=r"random_\(\): argument 'to' must be int, not float"):
        x.random_(2.5)


def test_random_integers_up_to_the_largest():
    x = tc.zeros(1000, dtype=tc.uint8).random_()
    assert x.max() > 200
    assert tc.zeros(1000, dtype=tc.uint8).random_(250, None).min() >= 250
    assert tc.zeros(1000).random_().max() > 2**20
    assert set(tc.zeros(1000, dtype=tc.bool).random_().tolist()) == {False, True}
    tc.zeros(2, dtype=tc.int64).random_(2**62, None)


def test_chances_that_do_not_fit_are_an_error():
    with pytest.raises(
        RuntimeError, match=r"bernoulli_: p of shape \(3,\) does not broadcast to \(2,\)"
    ):
        tc.zeros(2).bernoulli_(tc.ones(3))
    with pytest.raises(RuntimeError, match="p_in >= 0 && p_in <= 1"):
        tc.zeros(2).bernoulli_(2)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        tc.ones(3, requires_grad=True).normal_()


def test_the_array_of_a_draw_has_the_dtype_that_is_asked_for():
    for dtype in (tc.float16, tc.float32, tc.float64):
        assert tc.randn(2, dtype=dtype).numpy().dtype == dtype


@pytest.mark.parametrize(
    "dtype, high", [(tc.bool, 3), (tc.uint8, 257), (tc.int8, 129), (tc.int16, 32769)]
)
def test_integers_that_the_dtype_cannot_hold_are_refused(dtype, high):
    x = tc.zeros(2).to(dtype)
    for call in (lambda n: tc.randint(n, (2,), dtype=dtype), lambda n: tc.randint_like(x, n)):
        assert call(high - 1).dtype == dtype
        with pytest.raises(RuntimeError, match="out of bounds"):
            call(high)
        with pytest.raises(ValueError, match="Overflow"):
            call(2**63)


@pytest.mark.parametrize("dtype", [tc.bool, tc.uint8, tc.int64])
def test_weights_of_integers_are_refused(dtype):
    with pytest.raises(RuntimeError, match="floating-point"):
        tc.multinomial(tc.ones(3).to(dtype), 1)
