"""Size, device, layout and memory format, and the checks of arguments of these types."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import metadata


def test_a_size_is_a_tuple_that_knows_its_product():
    size = tc.ones(2, 3).shape
    assert size == (2, 3)
    assert isinstance(size, tc.Size)
    assert isinstance(size[:1] + size[1:], tc.Size)
    assert size.numel() == 6
    assert repr(size) == "torch.Size([2, 3])"
    assert tc.ones(2, 3).size(-1) == 3
    assert tc.zeros(size).shape == tc.ones(2, 3).size()


def test_devices_can_be_named_and_only_the_cpu_used():
    x = tc.ones(2)
    device = tc.device("cuda" if tc.cuda.is_available() else "cpu")
    assert x.to(device) is x
    assert x.device == device == tc.device("cpu")
    assert (str(tc.device("cuda", 1)), tc.device("cuda:1").index) == ("cuda:1", 1)
    assert repr(tc.device("cpu")) == "device(type='cpu')"
    assert {tc.device("cpu"): 1}[x.device] == 1
    for call in (x.cuda, lambda: x.to("cuda:0"), lambda: x.to(tc.device("cuda"))):
        with pytest.raises(RuntimeError, match="is not available: the only one is 'cpu'"):
            call()
    with pytest.raises(RuntimeError, match="^Expected one of cpu, cuda"):
        tc.device("foo")


def test_memory_formats_are_accepted():
    x = tc.ones(1, 2, 3, 4)
    assert x.to(memory_format=tc.channels_last) is x
    assert x.contiguous(memory_format=tc.channels_last).shape == x.shape
    assert x.clone(memory_format=tc.preserve_format).shape == x.shape
    assert tc.zeros_like(x, memory_format=tc.contiguous_format).shape == x.shape
    assert x.is_contiguous()
    assert not x.is_contiguous(memory_format=tc.channels_last)
    assert x.permute(0, 3, 1, 2).is_contiguous(memory_format=tc.channels_last)
    assert repr(tc.channels_last) == "torch.channels_last"


def test_the_layout_is_strided():
    assert tc.ones(2).layout is tc.strided
    assert repr(tc.strided) == "torch.strided"
    assert isinstance(tc.strided, tc.layout)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("float32", TypeError, r"f\(\): argument 'dtype' must be torch.dtype, not str"),
        (1.5, TypeError, r"must be torch.dtype, not float"),
        (list, TypeError, r"must be torch.dtype, not type"),
        (np.dtype(complex), NotImplementedError, r"complex Tensors are not .*complex128"),
        (np.dtype("U3"), TypeError, r"dtype <U3 is not supported"),
        (np.complex64, NotImplementedError, r"complex Tensors are not .*complex64"),
    ],
)
def test_a_dtype_that_tensors_cannot_have_is_named(value, error, message):
    with pytest.raises(error, match=message):
        metadata.dtype_of("f", value)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (float, "float64"),
        (int, "int64"),
        (bool, "bool"),
        (np.float16, "float16"),
        (tc.uint8, "uint8"),
    ],
)
def test_types_of_numbers_stand_for_dtypes(value, dtype):
    assert str(metadata.dtype_of("f", value)) == dtype


def test_checks_of_keywords():
    metadata.check_device("f", None), metadata.check_device("f", "cpu:0")
    metadata.check_layout("f", tc.strided), metadata.check_memory_format("f", tc.channels_last)
    for call, message in (
        (lambda: metadata.check_device("f", 1.5), r"f\(\): argument 'device' must be torch.device"),
        (
            lambda: metadata.check_device("f", True),
            r"argument 'device' must be torch.device, not bool",
        ),
        (lambda: metadata.check_layout("f", "strided"), r"argument 'layout' must be torch.layout"),
        (
            lambda: metadata.check_memory_format("f", "a"),
            r"'memory_format' must be torch.memory_format",
        ),
    ):
        with pytest.raises(TypeError, match=message):
            call()


def test_a_device_is_a_block():
    with tc.device("cpu") as device:
        assert tc.ones(1).device == device
    with pytest.raises(RuntimeError, match="device 'cuda' is not available"), tc.device("cuda"):
        pass
