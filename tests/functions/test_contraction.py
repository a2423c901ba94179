"""Einsum, tensordot and inner: against NumPy, both derivatives, and errors."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y, M, B = separated(np.random.default_rng(0), (3, 4), (3, 4), (4, 5), (2, 3, 4))


@st.composite
def equations(draw):
    """An equation, in explicit form or not, and arrays for it."""
    size = {a: draw(st.sampled_from([1, 2, 3, 2, 3, 0])) for a in "ijkl"}
    terms = draw(st.lists(st.text("ijkl", max_size=3), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    batch = draw(st.sampled_from(["", "", "..."]))
    lead = (2, 3)[: draw(st.integers(0, 2))] if batch else ()
    shapes = [
        (*(n if draw(st.booleans()) else 1 for n in lead), *(size[a] for a in term))
        for term in terms
    ]
    output = "".join(draw(st.permutations(used))[: draw(st.integers(0, len(used)))])
    equation = ",".join(batch + term for term in terms)
    if batch or draw(st.booleans()):
        equation += "->" + batch + output
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return equation, separated(rng, *shapes)


@given(equations())
def test_einsum_is_numpys(call):
    equation, arrays = call
    found = tc.einsum(equation, *(tc.tensor(a) for a in arrays)).numpy()
    np.testing.assert_allclose(found, np.einsum(equation, *arrays), rtol=1e-12, atol=1e-12)


@given(equations())
def test_both_derivatives_of_einsum(call):
    equation, arrays = call
    arrays = [a for a in arrays if a.size] if len(arrays) == 1 else arrays
    if arrays and all(a.size for a in arrays):
        check_vjp(lambda *xs: tc.einsum(equation, *xs), *arrays)
        check_second_order(lambda *xs: tc.einsum(equation, *xs), *arrays)


@pytest.mark.parametrize(
    ("equation", "arrays", "message"),
    [
        ("ij,jk->ik", [X, Y], "subscript j has size 3 for operand 1 which does not broadcast"),
        ("ij,jk->iz", [X, M], "output subscript z does not appear in the equation"),
        ("ij->ii", [X], "output subscript i appears more than once in the output"),
        (
            "ijk->i",
            [X],
            r"subscripts in the equation \(3\) does not match the number of dimensions",
        ),
        ("i->i", [X], "and no ellipsis was given"),
        ("ij,jk->ik", [X], "fewer operands were provided"),
        ("ij->i", [X, Y], "more operands were provided"),
        ("i1->i", [X], "invalid subscript given: '1'"),
    ],
)
def test_einsum_says_what_does_not_fit(equation, arrays, message):
    with pytest.raises(RuntimeError, match=message):
        tc.einsum(equation, *(tc.tensor(a) for a in arrays))


def test_einsum_with_sizes_of_one_broadcasts():
    y = tc.einsum("ij,ij->ij", tc.tensor(X), tc.tensor(X[:1]))
    np.testing.assert_allclose(y.numpy(), X * X[:1])


def test_einsum_takes_a_list():
    found = tc.einsum("ij,ij->", [tc.tensor(X), tc.tensor(Y)])
    np.testing.assert_allclose(found.item(), (X * Y).sum())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tc.einsum("ij,ij", x, x.float()), RuntimeError,
         "expected scalar type torch.float64 but found torch.float32"),
        (lambda x: tc.einsum("ij,ij", x, 2.0), TypeError,
         "expected Tensor as element 1 in argument 0, but got float"),
        (lambda x: tc.einsum("ij"), ValueError, "at least one operand"),
        (lambda x: tc.einsum(2.0, x), TypeError, r"'equation' \(position 1\) must be str, not float"),
        (lambda x: tc.einsum(x, [0, 1]), NotImplementedError, "must be an equation"),
    ],
)  # fmt: skip
def test_einsum_refuses_other_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))


# --- Tensordot and inner ---


PRODUCTS = [
    (tc.inner, np.inner, (X, Y)),
    (tc.inner, np.inner, (B, Y[0].copy())),
    (tc.inner, np.inner, (X, np.array(3.0))),
    (lambda a, b: tc.tensordot(a, b, 1), lambda a, b: np.tensordot(a, b, 1), (X, M)),
    (lambda a, b: tc.tensordot(a, b, 0), lambda a, b: np.tensordot(a, b, 0), (X, M)),
    (lambda a, b: tc.tensordot(a, b, ([1, 0], [1, 0])),
     lambda a, b: np.tensordot(a, b, ([1, 0], [1, 0])), (X, Y)),
    (lambda a, b: tc.tensordot(a=a, b=b, dims=[[-1], [-1]]),
     lambda a, b: np.tensordot(a, b, ([2], [1])), (B, Y)),
    (lambda a, b: tc.tensordot(a, b, tc.tensor([[1], [1]])), lambda a, b: a @ b.T, (X, Y)),
    (lambda a, b: tc.tensordot(a, b, ([1], [1])),  # an axis of size 1 broadcasts
     lambda a, b: a.sum(1, keepdims=True) @ b.T, (X, Y[:, :1].copy())),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "formula", "arrays"), PRODUCTS)
def test_products_and_both_derivatives(fn, formula, arrays):
    found = fn(*(tc.tensor(a) for a in arrays))
    np.testing.assert_allclose(found.numpy(), formula(*arrays), rtol=1e-12)
    check_vjp(fn, *arrays)
    check_second_order(fn, *arrays)


@pytest.mark.parametrize("by_place", [True, False])
def test_out_of_tensordot(by_place):
    x, out = tc.tensor(X), tc.zeros((), dtype=tc.float64)
    found = tc.tensordot(x, x, 2, out) if by_place else tc.tensordot(x, x, out=out)
    assert found is out
    np.testing.assert_allclose(out.item(), (X * X).sum())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tc.tensordot(x, x, 1), RuntimeError, "contracted dimensions need to match"),
        (lambda x: tc.tensordot(x, x, 3), RuntimeError, "dims < ndim_a or ndim_b, but got dims=3"),
        (lambda x: tc.tensordot(x, x, -1), RuntimeError, "dims >= 0, but got dims=-1"),
        (lambda x: tc.tensordot(x, x, 1.5), RuntimeError, "but got dims=1.5"),
        (lambda x: tc.tensordot(x, x, (1, 1)), TypeError, "must be tuple of ints, not int"),
        (lambda x: tc.tensordot(x, x, ([0], [0, 1])), RuntimeError, "should have same length"),
        (lambda x: tc.tensordot(x, x, ([1, 1], [1, 1])), RuntimeError, "appears multiple times"),
        (lambda x: tc.tensordot(x, x, ([5], [1])), IndexError, "Dimension out of range"),
        (
            lambda x: tc.tensordot(x, x.float(), 2),
            RuntimeError,
            "expected scalar type torch.float64",
        ),
        (
            lambda x: tc.tensordot(x, 2.0),
            TypeError,
            r"'b' \(position 2\) must be Tensor, not float",
        ),
        (lambda x: tc.inner(x, x.t()), RuntimeError, "the last dimension must match"),
        (lambda x: tc.inner(x, x.float()), RuntimeError, "expected scalar type torch.float64"),
        (lambda x: tc.inner(x, 2.0), TypeError, "'other' .* must be Tensor, not float"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
