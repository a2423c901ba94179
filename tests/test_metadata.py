"""Size, device and memory format, and what model code asks of the library as a whole."""

import numpy as np
import pytest

import tinygrad_cnn as tc


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
        with pytest.raises(RuntimeError, match="is not there: the only one is 'cpu'"):
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


def test_flags_and_seeds_of_what_is_not_there():
    tc.backends.cudnn.benchmark = True
    tc.backends.cudnn.deterministic = False
    tc.backends.cuda.matmul.allow_tf32 = True
    assert not tc.backends.mps.is_available()
    tc.cuda.manual_seed_all(0)
    tc.cuda.empty_cache()
    assert tc.cuda.device_count() == 0
    with pytest.raises(RuntimeError, match="no CUDA device"):
        tc.cuda.current_device()
    tc.use_deterministic_algorithms(True)
    assert tc.are_deterministic_algorithms_enabled()


def test_threads():
    before = tc.get_num_threads()
    tc.set_num_threads(1)
    try:
        assert tc.get_num_threads() == 1
    finally:
        tc.set_num_threads(before)
    assert tc.get_num_threads() == before
    with pytest.raises(RuntimeError, match="positive integer"):
        tc.set_num_threads(0)


def test_types_and_their_names():
    x = tc.ones(2)
    assert x.type() == "torch.FloatTensor"
    assert x.type("torch.LongTensor").dtype == tc.long
    assert x.type_as(tc.arange(2)).dtype == tc.int64
    names = ["double", "half", "long", "int", "short", "char", "byte", "bool", "float"]
    kinds = ["float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool", "float32"]
    assert [str(getattr(x, name)().dtype) for name in names] == kinds
    assert isinstance(x.dtype, tc.dtype)
    assert tc.finfo(x.dtype).eps == np.finfo(np.float32).eps
    assert tc.promote_types(tc.int64, tc.float16) == tc.float16
    assert tc.is_tensor(x)
    assert not tc.is_tensor(1)
    assert (tc.numel(x), x.nelement(), x.nbytes, x.stride()) == (2, 2, 8, (1,))


def test_inference_mode():
    x = tc.ones(1, requires_grad=True)
    with tc.inference_mode():
        assert not (x * 2).requires_grad
        with tc.inference_mode(False):
            assert (x * 2).requires_grad

    @tc.inference_mode()
    def f():
        return (x * 2).requires_grad

    @tc.inference_mode
    def g():
        return (x * 2).requires_grad

    assert not f()
    assert not g()
    assert tc.is_grad_enabled()
