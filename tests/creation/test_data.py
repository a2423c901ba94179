"""Tensors from data: dtypes, copies, and shared memory."""

import numpy as np
import pytest

import tinygrad_cnn as tc


@pytest.mark.parametrize(
    ("make", "dtype", "values"),
    [
        (lambda: tc.tensor([]), "float32", []),
        (lambda: tc.tensor([[1, 2.5]]), "float32", [[1.0, 2.5]]),
        (lambda: tc.tensor([np.float64(1.5), 2.0]), "float64", [1.5, 2.0]),
        (lambda: tc.tensor([np.ones(1), np.zeros(1)]), "float64", [[1.0], [0.0]]),
        (lambda: tc.tensor([tc.tensor(1.5), tc.tensor(2)]), "float32", [1.5, 2.0]),
        (lambda: tc.tensor(range(3)), "int64", [0, 1, 2]),
        (lambda: tc.tensor([1.5], dtype=tc.int32, pin_memory=True), "int32", [1]),
        (lambda: tc.tensor(tc.ones(1), dtype=float), "float64", [1.0]),
        (lambda: tc.scalar_tensor(2), "float32", 2.0),
        (lambda: tc.scalar_tensor(2.5, dtype=tc.int32, layout=tc.strided), "int32", 2),
        (lambda: tc.as_tensor([1.5]), "float32", [1.5]),
        (lambda: tc.as_tensor(np.ones(1), dtype=tc.float32), "float32", [1.0]),
        (lambda: tc.asarray((1, 2), dtype=tc.float16), "float16", [1.0, 2.0]),
        (lambda: tc.arange(2).new_tensor([1.5]), "int64", [1]),
        (lambda: tc.arange(2).new_tensor([1.5], dtype=tc.float64), "float64", [1.5]),
    ],
)
def test_values_and_types(make, dtype, values):
    x = make()
    assert x.dtype is getattr(tc, dtype)
    assert x.tolist() == values


def test_requires_grad():
    assert tc.tensor([1.0], requires_grad=True).is_leaf
    assert tc.ones(1).new_tensor([1.0], requires_grad=True).requires_grad
    assert tc.scalar_tensor(1.0, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="^Only Tensors of floating point dtype can require"):
        tc.tensor([1], requires_grad=True)


def test_what_shares_memory():
    a, x = np.ones(2), tc.ones(2)
    for y, source, shares in (
        (tc.tensor(a), a, False),
        (tc.from_numpy(a), a, True),
        (tc.as_tensor(a), a, True),
        (tc.as_tensor(a, dtype=tc.float32), a, False),
        (tc.as_tensor(x, device="cpu"), x.numpy(), True),
        (tc.asarray(a), a, True),
        (tc.asarray(a, copy=False), a, True),
        (tc.asarray(a, copy=True), a, False),
        (tc.asarray(x, copy=True), x.numpy(), False),
        (tc.asarray(x, copy=False), x.numpy(), True),
    ):
        assert np.shares_memory(y.numpy(), source) == shares


def test_asarray_never_copies_if_told_so():
    for obj, dtype in (([1.0], None), (np.ones(2), tc.float32), (tc.ones(2), tc.float64)):
        with pytest.raises(ValueError, match="asarray: can't alias"):
            tc.asarray(obj, dtype=dtype, copy=False)


def test_asarray_keeps_the_graph_unless_it_is_told_to_cut_it():
    x = tc.ones(2, requires_grad=True)
    y = x * 2.0
    assert tc.asarray(y) is tc.as_tensor(y) is y
    assert tc.asarray(x, copy=True).grad_fn is not None
    assert tc.asarray(y, requires_grad=True) is y
    assert not tc.asarray(y, requires_grad=False).requires_grad
    assert tc.asarray(np.ones(1), requires_grad=True).is_leaf
    assert tc.asarray(tc.ones(1), requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.tensor(["a"]), TypeError, "wanted numbers"),
        (lambda: tc.tensor([[1], [1, 2]]), ValueError, "^tensor: "),
        (lambda: tc.tensor([1.0], dtype="float32"), TypeError, "must be torch.dtype, not str"),
        (
            lambda: tc.tensor([1.0], dtype=np.dtype(complex)),
            NotImplementedError,
            "complex Tensors are not implemented, got torch.complex128",
        ),
        (
            lambda: tc.tensor([1.0], device="cuda"),
            RuntimeError,
            "tensor: device 'cuda' is not available",
        ),
        (lambda: tc.tensor([1.0], tc.float64), TypeError, "takes 1 positional argument"),
        (
            lambda: tc.as_tensor([1.0], device="cuda"),
            RuntimeError,
            "device 'cuda' is not available",
        ),
        (lambda: tc.scalar_tensor(1.0, layout="a"), TypeError, "must be torch.layout, not str"),
        (lambda: tc.from_numpy([1]), TypeError, "expected a NumPy array, got list"),
        (lambda: tc.from_numpy(np.array(["a"])), TypeError, "can't convert an array of dtype <U1"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


LARGE = [2**63, -(2**63) - 1, 2**64, 10**30]


@pytest.mark.parametrize("n", LARGE)
@pytest.mark.parametrize("form", [
    lambda n: n, lambda n: [n], lambda n: [n, 1], lambda n: [n, -1], lambda n: [[0], [n]],
    lambda n: [True, n],
])  # fmt: skip
def test_integers_beyond_int64_are_refused(form, n):
    for call in (tc.tensor, tc.as_tensor, tc.asarray):
        with pytest.raises(ValueError, match="Overflow"):
            call(form(n))
    with pytest.raises(ValueError, match="Overflow"):
        tc.utils.data.default_collate([n, 1])
    assert tc.tensor([n, 1.0]).dtype == tc.float32


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_tensors_of_one_element_beside_numbers(shape):
    for order in (1, -1):
        found = tc.tensor([tc.full(shape, 2.5), 1][::order])
        assert found.dtype == tc.float32
        assert found.tolist() == [2.5, 1.0][::order]


@pytest.mark.parametrize("dtype, fits, wrapped", [
    (tc.uint8, -1, 255), (tc.uint8, -255, 1), (tc.int8, -128, -128), (tc.int16, 32767, 32767),
])  # fmt: skip
def test_integers_in_a_smaller_dtype(dtype, fits, wrapped):
    x = tc.tensor([fits, 1], dtype=dtype)
    assert x.tolist() == [wrapped, 1]
    assert x.new_tensor([fits]).tolist() == [wrapped]
    for wrong in (40000, -40000):
        with pytest.raises(RuntimeError, match="without overflow"):
            tc.tensor([wrong], dtype=dtype)


@pytest.mark.parametrize("data", [None, [None], [1.0, None], [[1, None]]])
def test_none_is_no_number(data):
    """NumPy makes NaN of it where a dtype of floating point is given."""
    for make in (tc.tensor, tc.as_tensor, tc.ones(2).new_tensor):
        with pytest.raises(TypeError, match="must be real number, not NoneType"):
            make(data, dtype=tc.float32)
        with pytest.raises(TypeError):
            make(data)


B, H, N = tc.tensor([1.5]).bfloat16(), tc.tensor([1.5]).half(), tc.tensor([2])


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([B[0], B[0]], tc.bfloat16), ([B[0], 1], tc.bfloat16), ([B[0], 1.0], tc.float32),
        ([H[0], 1.0], tc.float32), ([H[0], 2], tc.float16), ([B[0], H[0]], tc.float32),
        ([N[0], B[0]], tc.bfloat16), ([B[0], B[0].double()], tc.float64), ([B, B], tc.bfloat16),
    ],
)  # fmt: skip
def test_a_sequence_has_the_dtype_in_which_its_elements_meet(data, dtype):
    x = tc.tensor(data)
    assert x.dtype is dtype
    assert x.reshape(-1).tolist() == [float(v) for v in data]


def test_numbers_that_a_dtype_cannot_hold():
    assert tc.tensor([1e39]).isinf()
    assert tc.tensor([1e6], dtype=tc.float16).isinf()
    assert tc.tensor([1e39], dtype=tc.bfloat16).isinf()
    assert tc.tensor([1e39], dtype=tc.float64).float().isinf()
    for number, dtype in ((255.9, tc.uint8), (-0.5, tc.uint8), (1e19, tc.int64), (-129.0, tc.int8)):
        with pytest.raises(RuntimeError, match="without overflow"):
            tc.tensor([number], dtype=dtype)
    assert tc.tensor([-0.5, 127.0], dtype=tc.int8).tolist() == [0, 127]
