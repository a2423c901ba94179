"""Conversions of Tensors: dtype, device, memory format."""

import inspect

import numpy as np
import pytest

import tinygrad_cnn as tc


def test_types_and_their_names():
    x = tc.ones(2)
    assert x.type() == "torch.FloatTensor"
    assert x.type("torch.LongTensor").dtype == tc.long
    assert x.type(tc.float64).dtype == tc.float64
    assert x.type_as(tc.arange(2)).dtype == tc.int64
    names = ["double", "half", "long", "int", "short", "char", "byte", "bool", "float"]
    kinds = ["float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool", "float32"]
    assert [getattr(x, name)().dtype for name in names] == [getattr(tc, kind) for kind in kinds]
    assert x.float() is x
    with pytest.raises(ValueError, match="invalid type: 'a'"):
        x.type("a")
    with pytest.raises(
        TypeError, match=r"type_as\(\): argument 'other' \(position 1\) must be Tensor"
    ):
        x.type_as(3)


X = tc.ones(2)
INTEGERS = tc.arange(2)


@pytest.mark.parametrize(
    ("call", "dtype", "same"),
    [
        (lambda: X.to(), "float32", True),
        (lambda: X.to(None), "float32", True),
        (lambda: X.to(tc.float32), "float32", True),
        (lambda: X.to("cpu"), "float32", True),
        (lambda: X.to(tc.device("cpu", 0), non_blocking=True), "float32", True),
        (lambda: X.to(tc.float32, non_blocking=True), "float32", True),
        (lambda: X.to(tc.float32, True), "float32", True),
        (lambda: X.to(tc.float32, copy=True), "float32", False),
        (lambda: X.to(tc.float32, False, True), "float32", False),
        (lambda: X.to("cpu", None, False, True), "float32", False),
        (lambda: X.to(tc.float64, True, True), "float64", False),
        (lambda: X.to("cpu", tc.float64), "float64", False),
        (lambda: X.to(device="cpu", dtype=tc.int32, non_blocking=True, copy=True), "int32", False),
        (lambda: X.to(INTEGERS), "int64", False),
        (lambda: X.to(INTEGERS, copy=True), "int64", False),
        (lambda: X.to(other=INTEGERS), "int64", False),
        (lambda: X.to(int), "int64", False),
        (lambda: X.to(memory_format=tc.channels_last), "float32", True),
    ],
)
def test_to_in_each_order_of_arguments(call, dtype, same):
    y = call()
    assert y.dtype is getattr(tc, dtype)
    assert (y is X) == same
    assert same or not np.shares_memory(y.numpy(), X.numpy())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: X.to("cuda"), RuntimeError, "to: device 'cuda' is not available"),
        (lambda: X.to(0), RuntimeError, "device '0' is not available"),
        (lambda: X.to("banana"), RuntimeError, "^Expected one of cpu, cuda"),
        (lambda: X.to(tc.float64, "cpu"), TypeError, r"^to\(\) received an invalid combination"),
        (lambda: X.to(dtype="float64"), TypeError, "argument 'dtype' must be torch.dtype, not str"),
        (lambda: X.to(complex), NotImplementedError, "complex Tensors are not implemented"),
        (lambda: X.to(banana=1), TypeError, "unexpected keyword argument 'banana'"),
        (lambda: X.cuda(), RuntimeError, "device 'cuda' is not available"),
        (
            lambda: X.contiguous(memory_format="a"),
            TypeError,
            "must be torch.memory_format, not str",
        ),
        (
            lambda: X.is_contiguous(memory_format=3),
            TypeError,
            "must be torch.memory_format, not int",
        ),
    ],
)
def test_what_cannot_be_converted_is_an_error(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_gradient_passes_floating_point_and_stops_at_integers():
    x = tc.ones(2, requires_grad=True)
    x.double().sum().backward()
    assert x.grad.dtype == tc.float32
    assert not x.long().requires_grad
    copy = x.to(tc.float32, copy=True)
    assert not copy.is_leaf


def test_the_cpu_is_the_only_place():
    assert X.cpu() is X
    assert X.cpu(memory_format=tc.preserve_format) is X
    assert X.pin_memory("cuda") is X


def test_a_module_is_converted_by_the_same_arguments():
    model = tc.nn.Linear(2, 2)
    assert model.to("cpu", tc.float64).weight.dtype == tc.float64
    assert model.to(tc.float32).weight.dtype == tc.float32
    assert model.to(tc.ones(1, dtype=tc.float16)).weight.dtype == tc.float16
    with pytest.raises(RuntimeError, match="device 'cuda' is not available"):
        model.to("cuda")


def test_signatures():
    names = list(inspect.signature(tc.Tensor.to).parameters)
    assert names == ["self", "device", "dtype", "non_blocking", "copy", "other", "memory_format"]
