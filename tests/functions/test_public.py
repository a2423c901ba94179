"""The decorator of public functions: keywords, `out=`, errors, and the methods made of them."""

import inspect
import warnings

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import functions
from tinygrad_cnn.functions.public import alias, as_method, public

X = [1.0, 4.0]


# --- Keywords ---


@pytest.mark.parametrize("name", ["input", "x", "a", "x1"])
def test_numpys_names_of_the_input_are_taken(name):
    assert tc.sqrt(**{name: tc.tensor(X)}).tolist() == [1.0, 2.0]


def test_both_names_of_a_parameter_are_an_error():
    with pytest.raises(TypeError, match="multiple values|unexpected keyword"):
        tc.sqrt(input=tc.tensor(X), x=tc.tensor(X))


@pytest.mark.parametrize("call", [
    lambda: tc.sqrt(tc.tensor(X), banana=1),
    lambda: tc.tensor(X).sqrt(banana=1),
    lambda: tc.tensor(X).sqrt(out=tc.zeros(2)),  # a method takes none
])  # fmt: skip
def test_an_unknown_keyword_is_named(call):
    with pytest.raises(TypeError, match="sqrt.*unexpected keyword argument '(banana|out)'"):
        call()


def test_a_missing_input_is_an_error():
    with pytest.raises(
        TypeError, match=r'sqrt\(\) missing 1 required positional arguments: "input"'
    ):
        tc.sqrt()


def test_sizes_by_name_are_one_sequence():
    x = tc.zeros(2, 3)
    assert x.reshape(shape=(3, 2)).shape == x.view(size=[3, 2]).shape == (3, 2)
    with pytest.raises(TypeError, match=r"reshape\(\) got multiple values for argument 'shape'"):
        x.reshape(3, shape=(2,))


# --- Names of the package ---


def test_the_package_has_the_functions_and_neither_their_helpers_nor_their_files():
    wrong = ("expand", "view", "repeat", "array_of", "axes", "axis", "sizes", "reshaping", "public")
    assert [name for name in wrong if hasattr(tc, name)] == []
    later = [name for names in functions.LATER.values() for name in names]
    assert {"reshape", "cat", "sort"} <= set(functions.__all__)
    assert "einsum" in later
    for name in (*functions.__all__, *later):
        assert getattr(tc, name) is getattr(functions, name)


# --- Errors for arguments that are no Tensor ---


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tc.sqrt(2.0), r"sqrt\(\): argument 'input' \(position 1\) must be Tensor, not float"),
        (lambda: tc.sqrt(input=[1.0]), r"'input' \(position 1\) must be Tensor, not list"),
        (lambda: tc.sqrt(np.ones(2)), r"must be Tensor, not numpy.ndarray"),
        (lambda: tc.absolute(2), r"absolute\(\): argument 'input'"),
        (lambda: tc.maximum(tc.ones(1), 2.0), r"argument 'other' \(position 2\) must be Tensor"),
        (lambda: tc.ones(1).maximum(2.0), r"argument 'other' \(position 1\) must be Tensor"),
        (lambda: tc.Tensor.sqrt(2.0), "descriptor 'sqrt' for 'Tensor' objects doesn't apply to a 'float'"),
        (lambda: tc.eq(2.0, 3.0), r"eq\(\) received an invalid combination of arguments - got \(float, float\)"),
        (lambda: tc.eq(tc.ones(1), other="a"), r"got \(Tensor, other=str\), but expected one of:"),
        (lambda: tc.add("a", tc.ones(1)), r"add\(\): argument 'input' \(position 1\) must be Tensor, not str"),
        (lambda: tc.pow(2.0, 3.0), r"pow\(\) received an invalid combination"),
        (lambda: tc.remainder(2.0, 3.0), r"remainder\(\) received an invalid combination"),
        (lambda: tc.bitwise_or(2, 3), r"bitwise_or\(\) received an invalid combination"),
        (lambda: tc.Tensor.remainder(2.0, tc.ones(1)), "descriptor 'remainder' for 'Tensor' objects"),
        (lambda: tc.Tensor.add(2.0, tc.ones(1)), "descriptor 'add' for 'Tensor' objects"),
    ],
)  # fmt: skip
def test_what_is_no_tensor_is_named_in_pytorchs_words(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "value"),
    [
        (lambda: tc.add(2, 3), 5),
        (lambda: tc.sub(2.0, 3), -1.0),
        (lambda: tc.mul(True, 3), 3),
        (lambda: tc.div(1, 2), 0.5),
        (lambda: tc.floor_divide(7, 2), 3),
    ],
)
def test_arithmetic_takes_numbers_alone_as_pytorch_does(call, value):
    result = call()
    assert isinstance(result, tc.Tensor)
    assert result.item() == value
    assert result.dtype == tc.tensor(value).dtype


@pytest.mark.parametrize(
    ("call", "values"),
    [
        (lambda n: tc.where(n > 2, 1.0, 0.0), [0.0, 1.0]),
        (lambda n: tc.where(n > 2, 1, n), [2, 1]),
        (lambda n: tc.pow(2, n), [4, 8]),
        (lambda n: tc.remainder(7, n), [1, 1]),
        (lambda n: tc.bitwise_and(6, n), [2, 2]),
        (lambda n: tc.bitwise_or(4, n), [6, 7]),
        (lambda n: tc.bitwise_xor(1, n), [3, 2]),
    ],
)
def test_a_number_may_be_the_first_operand(call, values):
    assert call(tc.tensor([2, 3])).tolist() == values


# --- out= ---


def test_out_is_filled_and_returned():
    out = tc.zeros(2, dtype=tc.float64)
    assert tc.sqrt(tc.tensor(X), out=out) is out
    assert out.tolist() == [1.0, 2.0]
    assert out.dtype == tc.float64
    assert out._version == 1


def test_out_may_be_the_input_or_a_view():
    x = tc.tensor([X, X])
    tc.sqrt(x[0], out=x[0])
    assert x.tolist() == [[1.0, 2.0], X]
    tc.sqrt(x, out=x)
    assert x[1].tolist() == [1.0, 2.0]


def test_out_of_another_shape_is_resized_with_a_warning_unless_it_is_empty():
    empty = tc.zeros(0)
    assert tc.sqrt(tc.tensor(X), out=empty) is empty
    assert empty.tolist() == [1.0, 2.0]
    with pytest.warns(
        UserWarning, match=r"An output with one or more elements was resized since it had"
    ):
        out = tc.sqrt(tc.tensor(X), out=tc.zeros(3))
    assert out.tolist() == [1.0, 2.0]
    rows = tc.zeros(2, 3)
    with pytest.raises(
        RuntimeError, match=r"out is a view of shape \(3,\), which cannot be resized"
    ):
        tc.sqrt(tc.tensor(X), out=rows[0])
    assert rows.tolist() == [[0.0] * 3] * 2


def test_out_that_cannot_hold_the_dtype_is_refused_before_anything_is_written():
    out = tc.zeros(2, dtype=tc.int64)
    with pytest.raises(
        RuntimeError, match="result type .* can't be cast to the desired output type"
    ):
        tc.sqrt(tc.tensor(X), out=out)
    assert out.tolist() == [0, 0]


def test_out_knows_no_gradient():
    x, out = tc.tensor(X, requires_grad=True), tc.zeros(2)
    message = r"sqrt\(\): functions with out=... arguments don't support automatic differentiation"
    with pytest.raises(RuntimeError, match=message):
        tc.sqrt(x, out=out)
    with pytest.raises(RuntimeError, match=message):
        tc.sqrt(tc.tensor(X), out=x)
    with tc.no_grad():
        assert tc.sqrt(x, out=out).requires_grad is False
    assert out.tolist() == [1.0, 2.0]


def test_out_must_be_a_tensor():
    with pytest.raises(TypeError, match=r"sqrt\(\): argument 'out' must be Tensor, not float"):
        tc.sqrt(tc.tensor(X), out=1.0)


def test_a_write_through_out_is_seen_by_the_graph():
    x = tc.tensor(X, requires_grad=True)
    y = x * 1.0
    z = (y * y).sum()
    with tc.no_grad():
        tc.sqrt(tc.tensor(X), out=y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


# --- The decorator itself ---


def test_signatures_of_function_alias_and_method():
    @public
    def twice(input: "Tensor", *, by: float = 2.0, out: "Tensor | None" = None) -> "Tensor":  # noqa: F821
        """The docstring."""
        return input * by

    double = alias("double", twice)
    method = as_method(twice)
    assert list(inspect.signature(twice).parameters) == ["input", "by", "out"]
    assert list(inspect.signature(double).parameters) == ["input", "by", "out"]
    assert list(inspect.signature(method).parameters) == ["self", "by"]
    assert (twice.__name__, double.__name__, method.__name__) == ("twice", "double", "twice")
    assert method.__doc__ == twice.__doc__ == "The docstring."
    assert method(tc.ones(1), by=3.0).item() == 3.0
    with pytest.raises(TypeError, match=r"double\(\): argument 'input'"):
        double(1)


def test_an_in_place_form_has_the_signature_of_the_function_and_a_name_with_an_underscore():
    @public
    def scaled(input: "Tensor", other: "Tensor", *, by: float = 2.0, out: "Tensor | None" = None):  # noqa: F821
        """The docstring."""

    method = as_method(scaled, lambda x, other, by=2.0: x.mul_(other).mul_(by))
    x = tc.ones(1)
    assert method.__name__ == "scaled_"
    assert list(inspect.signature(method).parameters) == ["self", "other", "by"]
    assert method(x, x2=tc.ones(1), by=3.0) is x
    assert x.item() == 3.0
    with pytest.raises(
        TypeError, match=r"scaled_\(\): argument 'other' \(position 1\) must be Tensor"
    ):
        method(x, 2.0)


def test_a_parameter_that_takes_any_number_of_arguments_is_taken_by_name_too():
    @public
    def total(input: "Tensor", *size: int, scale: int = 1):  # noqa: F821
        """The docstring."""
        return sum(size[0] if isinstance(size[0], tuple) else size) * scale

    assert (
        total(tc.ones(1), 1, 2) == total(tc.ones(1), (1, 2)) == total(tc.ones(1), size=(1, 2)) == 3
    )
    assert as_method(total)(tc.ones(1), size=(1, 2), scale=2) == 6
    with pytest.raises(TypeError, match=r"total\(\) got multiple values for argument 'size'"):
        total(tc.ones(1), 1, size=(2,))


def test_without_out_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tc.sqrt(tc.tensor([-1.0, 0.0])), tc.log(tc.zeros(1)), tc.exp(tc.tensor([1000.0]))
