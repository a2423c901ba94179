"""dtype objects, and the conversion of arguments to NumPy's dtypes."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import dtypes

NUMPYS = [d for d in dtypes.ALL if d is not tc.bfloat16]


@pytest.mark.parametrize("d", dtypes.ALL, ids=str)
def test_a_dtype_is_one_object(d):
    assert pickle.loads(pickle.dumps(d)) is copy.deepcopy(d) is copy.copy(d) is d
    assert isinstance(d, tc.dtype)
    assert dtypes.DTYPES[d.dtype] is d
    assert str(d) == repr(d) == f"torch.{np.dtype(d).name}"


@pytest.mark.parametrize("d", dtypes.ALL, ids=str)
def test_it_equals_numpys(d):
    theirs = d.dtype
    assert d == theirs
    assert theirs == d
    assert d == theirs.type
    assert theirs.type == d
    assert hash(d) == hash(theirs)
    assert {d: 1}[theirs] == {theirs: 1}[d] == 1
    others = [other for other in dtypes.ALL if other is not d]
    assert all(d != other and d != other.dtype and other.dtype != d for other in others)


@pytest.mark.parametrize(
    "other", ["float32", "torch.float32", float, int, bool, None, 4, tc.Tensor]
)
def test_it_equals_no_other_thing(other):
    assert all(d != other and other != d for d in dtypes.ALL)


@pytest.mark.parametrize("d", NUMPYS, ids=str)
def test_numpy_takes_it_for_a_dtype(d):
    array = np.zeros(2, d)
    assert array.dtype is d.dtype
    assert np.ones(2).astype(d).dtype == np.asarray([0], d).dtype == d
    assert np.empty(0, dtype=[("field", d)]).dtype["field"] == d


def test_names_of_one_dtype():
    names = ["half", "float", "double", "short", "int", "long", "cfloat", "cdouble"]
    found = [getattr(tc, name) for name in names]
    assert found == [tc.float16, tc.float32, tc.float64, tc.int16, tc.int32, tc.int64, tc.complex64,
                     tc.complex128]  # fmt: skip


def test_it_is_neither_made_nor_changed():
    with pytest.raises(TypeError, match=r"cannot create 'torch.dtype' instances"):
        tc.dtype("float32")
    with pytest.raises(AttributeError):
        tc.float32.itemsize = 3
    with pytest.raises(AttributeError):
        tc.float32.other = 3
    with pytest.raises(TypeError, match="not supported between"):
        tc.float32 < tc.float64  # noqa: B015


def test_x_dtype_takes_its_place_everywhere():
    x = tc.ones(2, dtype=tc.float64)
    assert x.dtype is tc.float64
    assert tc.zeros(2, dtype=x.dtype).dtype is tc.zeros_like(x).dtype is x.dtype
    assert x.to(x.dtype) is x
    assert np.ones(2, x.dtype).dtype == np.float64
    assert tc.ones(2).to(dtype=tc.float16).dtype is tc.float16
    assert tc.tensor([1, 2], dtype=np.float16).dtype is tc.float16
    assert tc.zeros(2, dtype=float).dtype is tc.float64
    assert {p.dtype for p in tc.nn.Linear(2, 2).parameters()} == {tc.float32}


@pytest.mark.parametrize("value", ["float32", 3, object, str, None, np.array(1.0)])
def test_what_is_no_dtype_is_an_error(value):
    with pytest.raises(TypeError, match=r"f\(\): argument 'dtype' must be torch.dtype, not"):
        dtypes.dtype_of("f", value)


@pytest.mark.parametrize("value", [np.dtype("U3"), np.dtype(object), np.dtype(">f4"), np.longdouble,
                                   np.dtype([("a", "f4")]), np.dtype("M8[s]")])  # fmt: skip
def test_a_dtype_that_no_tensor_has_is_an_error(value):
    with pytest.raises(TypeError, match="is not supported|must be torch.dtype"):
        dtypes.dtype_of("f", value)
    if isinstance(value, np.dtype):
        with pytest.raises(TypeError):
            tc.from_numpy(np.zeros(2, value))


def test_complex_tensors_are_not_implemented():
    for make in (lambda: tc.zeros(2, dtype=tc.complex64), lambda: tc.ones(2).to(tc.cfloat)):
        with pytest.raises(NotImplementedError, match=r"complex Tensors .* got torch.complex64"):
            make()
    with pytest.raises(NotImplementedError, match="complex32"):
        tc.float16.to_complex()
    assert tc.complex64.to_real() is tc.float32
    assert tc.bfloat16.to_complex() is tc.complex64


def test_an_alias_of_a_dtype_is_the_same_dtype():
    x = tc.from_numpy(np.arange(3, dtype=np.longlong))
    assert x.dtype is tc.int64
    assert x.type() == "torch.LongTensor"


def test_the_default_dtype_is_a_dtype_object():
    assert tc.get_default_dtype() is tc.float32
    try:
        tc.set_default_dtype(tc.bfloat16)
        assert (
            tc.tensor(1.5).dtype
            is (tc.arange(2) / 2).dtype
            is tc.get_default_dtype()
            is tc.bfloat16
        )
        assert repr(tc.tensor(1.5)) == "tensor(1.5000)"
    finally:
        tc.set_default_dtype(tc.float32)


# --- Without the package ml_dtypes ----------------------------------------------------------------

WITHOUT = """
import sys
sys.modules["ml_dtypes"] = None
import numpy as np
import tinygrad_cnn as tc

assert str(tc.bfloat16) == "torch.bfloat16" and tc.bfloat16.itemsize == 2
assert tc.bfloat16 is tc.bfloat16 and tc.float32 != tc.bfloat16 and tc.bfloat16 != np.float32
assert {tc.float32: 1, tc.bfloat16: 2}[tc.bfloat16] == 2
assert tc.finfo(tc.bfloat16).eps == 0.0078125 and tc.can_cast(tc.bfloat16, tc.half)
assert tc.ones(2).dtype == tc.float32 and not isinstance(tc.ones(2), tc.BFloat16Tensor)
for call in (
    lambda: tc.zeros(2, dtype=tc.bfloat16), lambda: tc.ones(2).bfloat16(),
    lambda: tc.ones(2).to(tc.bfloat16), lambda: tc.nn.Linear(1, 1).bfloat16(),
    lambda: tc.BFloat16Tensor([1.0]), lambda: tc.ones(2).type("torch.BFloat16Tensor"),
):
    try:
        call()
    except ImportError as error:
        assert "pip install 'tinygrad_cnn[bfloat16]'" in str(error), error
    else:
        raise AssertionError("no error")
"""


def test_without_its_package_bfloat16_is_a_name_and_using_it_an_error():
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)
