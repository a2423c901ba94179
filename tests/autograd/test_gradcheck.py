"""gradcheck and gradgradcheck: right functions pass, wrong or uncheckable ones never do."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.autograd import Function, GradcheckError, gradcheck, gradgradcheck


def leaf(*shape, seed=0, dtype=tc.float64):
    rng = np.random.default_rng(seed)
    return tc.tensor(rng.normal(size=shape), dtype=dtype, requires_grad=True)


def with_backward(backward):
    """sin with this backward(g, x)."""

    class Sine(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return Sine.apply


right = with_backward(lambda g, x: g * x.cos())

FUNCTIONS = {
    "one output": (lambda x, w: (x @ w).tanh(), (leaf(2, 3), leaf(3, 2, seed=1))),
    "several": (lambda x: (x.sin(), x.sum(), x * 2.0), (leaf(3),)),
    "values and indices": (lambda x: x.max(1), (leaf(3, 4),)),
    "unused": (lambda x, y: x * 2.0, (leaf(3), leaf(2))),
    "other arguments": (lambda x, k, dim: (x * k).sum(dim), (leaf(2, 3), 3.0, 1)),
    "a constant Tensor": (lambda x, y: x * y, (leaf(3), tc.ones(3, dtype=tc.float64))),
    "empty": (lambda x: x * 2.0, (leaf(0, 3),)),
    "no axes": (tc.exp, (leaf(),)),
    "constant output beside": (lambda x: (x * x, tc.ones(2)), (leaf(2),)),
    "a Function": (right, (leaf(4),)),
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_functions_pass(name, fast):
    fn, inputs = FUNCTIONS[name]
    before = [x.tolist() if hasattr(x, "tolist") else x for x in inputs]
    assert gradcheck(fn, inputs, fast_mode=fast) is True
    assert gradgradcheck(fn, inputs, fast_mode=fast) is True
    assert [x.tolist() if hasattr(x, "tolist") else x for x in inputs] == before
    assert all(getattr(x, "grad", None) is None for x in inputs)


def test_one_tensor_and_what_a_closure_holds():
    x = leaf(2)
    assert gradcheck(lambda _: x.exp(), x)
    layer = tc.nn.Linear(3, 2).double()
    data = leaf(4, 3).detach()
    assert gradcheck(lambda *_: layer(data).tanh(), tuple(layer.parameters()))


@pytest.mark.parametrize("seed", range(20))
def test_a_wrong_backward_fails(seed):
    x = leaf(3, 4, seed=seed)
    wrong = with_backward(lambda g, x: g * x.cos() * 1.01)
    with pytest.raises(
        GradcheckError, match="^Jacobian mismatch for output 0 with respect to input 0,\nnumerical:"
    ):
        gradcheck(wrong, x)
    with pytest.raises(GradcheckError, match="^Jacobian mismatch for output 0 .* to input 0"):
        gradcheck(wrong, x, fast_mode=True)
    assert gradcheck(wrong, x, raise_exception=False) is False
    assert gradcheck(wrong, x, rtol=0.1) is True


def test_fast_mode_sees_errors_that_positive_directions_let_cancel():
    shift = tc.tensor([0.5, -0.5, 0.5, -0.5], dtype=tc.float64)
    wrong = with_backward(lambda g, x: g * (x.cos() + shift))
    with pytest.raises(GradcheckError, match="fast_mode=False says where"):
        gradcheck(wrong, leaf(4), fast_mode=True)


def test_the_worst_entry_is_named():
    def backward(g, x):
        kept = np.ones((2, 3))
        kept[1, 2] = 0.0
        return g * x.cos() * tc.tensor(kept)

    with pytest.raises(
        GradcheckError, match=r"worst at output \(1, 2\), input \(1, 2\): .* 0 by back"
    ):
        gradcheck(with_backward(backward), leaf(2, 3))


def test_a_wrong_second_derivative_fails_gradgradcheck_alone():
    fn = with_backward(lambda g, x: g * x.cos().detach())
    x = leaf(3)
    assert gradcheck(fn, x)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to"):
        gradgradcheck(fn, x)
    assert gradgradcheck(fn, x, raise_exception=False) is False


def test_gradgradcheck_with_given_cotangents():
    x, g = leaf(3), leaf(3, seed=1)
    assert gradgradcheck(lambda x: x**3.0, x, g)
    assert gradgradcheck(lambda x: x**3.0, x, (g.detach(),))
    assert gradgradcheck(lambda x: x**3.0, x, gen_non_contig_grad_outputs=True)


# --- Never a pass -------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_what_cannot_be_checked_is_an_error_of_its_own(check):
    x = leaf(3)
    for fn in (lambda x: None, lambda x: 3.0, lambda x: x.detach().numpy(), lambda x: ()):
        with pytest.raises(TypeError, match="must return a Tensor, or several"):
            check(fn, x)
    with pytest.raises(TypeError, match=r"no Tensor of floating point: torch\.int64"):
        check(lambda x: x.argmax(), x)
    with pytest.raises(TypeError, match=r"no Tensor of floating point: torch\.bool"):
        check(lambda x: x > 0, x)
    with pytest.raises(ValueError, match="no output of the function requires grad"):
        check(lambda x: x.detach() * 2.0, x)
    for inputs in (tc.ones(3), (tc.ones(3), 2.0), ()):
        with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
            check(lambda *xs: tc.ones(1), inputs)
    assert x.grad is None


def test_bad_input_is_an_error_without_raise_exception_too():
    with pytest.raises(TypeError, match="must return a Tensor"):
        gradcheck(lambda x: None, leaf(3), raise_exception=False)


def test_randomness_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(GradcheckError, match="not deterministic"):
        gradcheck(lambda x: x * rng.normal(), leaf(3))
    with pytest.raises(GradcheckError, match="not deterministic"):
        gradgradcheck(lambda x: x * rng.normal(), leaf(3))
    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(with_backward(lambda g, x: g * x.cos() + g * 1e-9 * rng.normal()), leaf(3))
    fn = with_backward(lambda g, x: g * x.cos() + g * 1e-9 * rng.normal())
    assert gradcheck(fn, leaf(3), nondet_tol=1e-7)


def test_a_backward_that_is_not_multiplied_by_the_cotangent():
    with pytest.raises(GradcheckError, match="not multiplied by grad_output"):
        gradcheck(with_backward(lambda g, x: g * x.cos() + 1.0), leaf(3))


def test_an_output_cut_off_beside_one_that_is_not():
    with pytest.raises(GradcheckError, match="expected to be zero: output 1"):
        gradcheck(lambda x: (x * x, x.detach() * 2.0), leaf(3))


def test_low_precision_warns():
    x = leaf(3, dtype=tc.float32)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double"):
        assert gradcheck(tc.sin, x, eps=1e-2, atol=1e-2, rtol=1e-2)


def test_an_input_whose_elements_share_a_place_is_refused():
    with pytest.raises(RuntimeError, match="0th input has a dimension with stride 0"):
        gradcheck(lambda x: x * 2.0, leaf(1).expand(3))


@pytest.mark.parametrize("option", ["check_forward_ad", "check_batched_grad", "masked"])
def test_what_is_not_there_says_so(option):
    with pytest.raises(NotImplementedError, match=option):
        gradcheck(tc.sin, leaf(3), **{option: True})
    with pytest.raises(ValueError, match="nothing to check"):
        gradcheck(tc.sin, leaf(3), check_backward_ad=False)
    with pytest.raises(NotImplementedError, match="check_fwd_over_rev"):
        gradgradcheck(tc.sin, leaf(3), check_fwd_over_rev=True)


def test_an_exception_puts_the_inputs_back():
    x = leaf(3)
    before, calls = x.tolist(), []

    def fn(x):
        calls.append(1)
        if len(calls) == 4:
            raise ArithmeticError("on purpose")
        return x.sin()

    with pytest.raises(ArithmeticError):
        gradcheck(fn, x)
    assert x.tolist() == before
