"""FloatTensor and the other types, and those of torch.cuda."""

import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import typed

TYPES = {"Float": tc.float32, "Double": tc.float64, "Half": tc.float16, "BFloat16": tc.bfloat16,
         "Long": tc.int64, "Int": tc.int32, "Short": tc.int16, "Char": tc.int8, "Byte": tc.uint8,
         "Bool": tc.bool}  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_a_type_makes_tensors_and_knows_them(name):
    kind, d = getattr(tc, f"{name}Tensor"), TYPES[name]
    x = kind([1, 0])
    assert type(x) is tc.Tensor
    assert x.dtype is kind.dtype is d
    assert isinstance(x, kind)
    assert x.type() == f"torch.{name}Tensor"
    assert tc.ones(2).type(kind).dtype is tc.ones(2).type(x.type()).dtype is d
    assert kind(2, 3).shape == kind(tc.Size([2, 3])).shape == (2, 3)
    assert [n for n in TYPES if isinstance(x, getattr(tc, f"{n}Tensor"))] == [name]
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert repr(kind) == f"<class 'torch.{name}Tensor'>"


def test_everybody_has_the_names():
    names = {f"{name}Tensor" for name in TYPES}
    assert names <= set(dir(tc))
    assert names <= set(tc.__all__)
    assert set(typed.CUDA_TYPES) == names


@pytest.mark.parametrize("name", TYPES)
def test_a_type_of_cuda_is_a_name_alone(name):
    kind = getattr(tc.cuda, f"{name}Tensor")
    assert kind.dtype is TYPES[name]
    assert kind.is_cuda
    assert not isinstance(tc.ones(2).to(TYPES[name]), kind)
    assert pickle.loads(pickle.dumps(kind)) is kind
    for call in (lambda: kind(2), lambda: kind([1.0]), kind):
        with pytest.raises(TypeError, match=rf"type torch.cuda.{name}Tensor not available"):
            call()
    for text in (kind, f"torch.cuda.{name}Tensor"):
        with pytest.raises(RuntimeError, match="the only device is 'cpu'"):
            tc.ones(2).type(text)
    with pytest.raises(AttributeError, match="tinygrad_cnn.cuda has no 'NoTensor'"):
        tc.cuda.NoTensor  # noqa: B018


def test_the_old_idiom_for_a_device():
    kind = tc.cuda.FloatTensor if tc.cuda.is_available() else tc.FloatTensor
    noise = kind(np.ones((2, 3))).normal_(0, 1)
    assert noise.shape == (2, 3)
    assert noise.type(kind) is noise


def test_a_type_has_no_subclass():
    with pytest.raises(TypeError, match=r"type 'torch.FloatTensor' is not an acceptable base type"):
        type("Mine", (tc.FloatTensor,), {})


@pytest.mark.parametrize(
    "t", [tc.DoubleTensor, "torch.DoubleTensor", tc.HalfTensor, tc.BFloat16Tensor]
)
def test_the_default_type(t):
    try:
        with pytest.warns(UserWarning, match="deprecated"):
            tc.set_default_tensor_type(t)
        d = {"torch.DoubleTensor": tc.float64}.get(t) or t.dtype
        assert tc.get_default_dtype() is tc.Tensor([1]).dtype is tc.ones(1).dtype is d
    finally:
        tc.set_default_dtype(tc.float32)


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize(
    ("t", "error", "message"),
    [
        (tc.LongTensor, TypeError, "only floating-point types"),
        ("torch.LongTensor", TypeError, "only floating-point types"),
        (tc.float64, TypeError, "invalid type object"),
        (tc.Tensor, TypeError, "invalid type object"),
        (tc.cuda.FloatTensor, TypeError, "torch.cuda.FloatTensor not available"),
        ("torch.cuda.FloatTensor", TypeError, "torch.cuda.FloatTensor not available"),
        ("foo", ValueError, "invalid type: 'foo'"),
    ],
)
def test_what_cannot_be_the_default_type(t, error, message):
    with pytest.raises(error, match=message):
        tc.set_default_tensor_type(t)
    assert tc.get_default_dtype() is tc.float32
