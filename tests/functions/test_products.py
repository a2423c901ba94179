"""Products and einsum: against NumPy, both derivatives, and what einsum refuses."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y, Z, M, B = separated(np.random.default_rng(0), (3, 4), (3, 4), (3, 4), (4, 5), (2, 3, 4))
V, U, S = separated(np.random.default_rng(1), (4,), (3,), (4, 4))


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


PRODUCTS = [
    (tc.mm, np.matmul, (X, M)),
    (tc.bmm, np.matmul, (B, B.swapaxes(1, 2))),
    (tc.mv, np.matmul, (X, V)),
    (tc.dot, np.dot, (V, V[::-1].copy())),
    (tc.outer, np.outer, (U, V)),
    (tc.inner, np.inner, (X, Y)),
    (tc.kron, np.kron, (X, U)),
    (tc.trace, np.trace, (X,)),
    (lambda a, b: tc.cross(a, b, dim=0), lambda a, b: np.cross(a, b, axis=0), (X, Y)),
    (lambda a, b: tc.tensordot(a, b, 1), lambda a, b: np.tensordot(a, b, 1), (X, M)),
    (lambda a, b: tc.tensordot(a, b, ([1, 0], [1, 0])),
     lambda a, b: np.tensordot(a, b, ([1, 0], [1, 0])), (X, Y)),
    (lambda c, a, b: tc.addmm(c, a, b, beta=0.5, alpha=2),
     lambda c, a, b: 0.5 * c + 2 * a @ b, (V[:3], X, X.T.copy())),
    (lambda c, a, b: tc.baddbmm(c, a, b), lambda c, a, b: c + a @ b,
     (U, B, B.swapaxes(1, 2).copy())),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "formula", "arrays"), PRODUCTS)
def test_products_and_both_derivatives(fn, formula, arrays):
    found = fn(*(tc.tensor(a) for a in arrays))
    np.testing.assert_allclose(found.numpy(), formula(*arrays), rtol=1e-12)
    check_vjp(fn, *arrays)
    check_second_order(fn, *arrays)


def test_beta_zero_does_not_pass_nan_on():
    y = tc.addmm(tc.full((3,), float("nan")), tc.ones(3, 4), tc.ones(4, 3), beta=0)
    assert y.tolist() == [[4.0] * 3] * 3


@pytest.mark.parametrize(
    "call",
    [
        lambda: tc.mm(tc.ones(2, 3), tc.ones(2, 3)),
        lambda: tc.mm(tc.ones(2, 3), tc.ones(3)),
        lambda: tc.bmm(tc.ones(2, 3, 4), tc.ones(3, 4, 5)),
        lambda: tc.dot(tc.ones(2), tc.ones(3)),
        lambda: tc.outer(tc.ones(2, 2), tc.ones(3)),
        lambda: tc.cross(tc.ones(2), tc.ones(2)),
        lambda: tc.trace(tc.ones(2)),
    ],
)
def test_shapes_that_do_not_fit(call):
    with pytest.raises(RuntimeError):
        call()
