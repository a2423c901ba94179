"""assert_close: PyTorch's messages, tolerances by dtype, nested values, and no need of Hypothesis."""

import subprocess
import sys

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import assert_close

T = tc.tensor
NAN, INF = float("nan"), float("inf")

EQUAL = [
    (T([1.0, 2.0]), T([1.0, 2.0]), {}), (1.0, 1.0, {}), (None, None, {}), (True, True, {}),
    (T([]), T([]), {}), ([], [], {}), ((1,), [1], {}), (T([INF]), T([INF]), {}),
    (T([1.0]), T([1.0]).double(), {"check_dtype": False}), (1, 1.0, {"check_dtype": False}),
    (T([NAN]), T([NAN]), {"equal_nan": True}), (NAN, NAN, {"equal_nan": True}), (INF, INF, {}),
    (T([1.0]).half(), T([1.0009]).half(), {}), (T([1e6]), T([1e6 + 1]), {}), (0.0, 1e-9, {}),
    (T([1.0]), T([1.25]), {"rtol": 0.0, "atol": 0.25}), (np.float32(1), 1.0, {}),
    (T([1.0], requires_grad=True), T([1.0]), {}), (tc.nn.Parameter(T([1.0])), T([1.0]), {}),
    ({"a": [T(1), {"b": 2.0}], "c": None}, {"c": None, "a": (T(1), {"b": 2.0})}, {}),
    (np.ones(3), np.ones(3), {}), (T([[1.0, 2.0]]).t(), T([[1.0], [2.0]]), {}),
]  # fmt: skip

MESSAGES = [
    (T([[1.0, 2.0], [5.0, 2.0]]), T([[1.0, 3.0], [4.0, 2.0]]), {},
     "Tensor-likes are not close!\n\nMismatched elements: 2 / 4 (50.0%)\n"
     "Greatest absolute difference: 1.0 at index (0, 1) (up to 1e-05 allowed)\n"
     "Greatest relative difference: 0.3333333432674408 at index (0, 1) (up to 1.3e-06 allowed)"),
    (T([1, 2]), T([1, 3]), {},
     "Tensor-likes are not equal!\n\nMismatched elements: 1 / 2 (50.0%)\n"
     "Greatest absolute difference: 1 at index (1,)\n"
     "Greatest relative difference: 0.3333333432674408 at index (1,)"),
    (T([0, 1], dtype=tc.uint8), T([255, 1], dtype=tc.uint8), {},
     "Tensor-likes are not equal!\n\nMismatched elements: 1 / 2 (50.0%)\n"
     "Greatest absolute difference: 255 at index (0,)\nGreatest relative difference: 1.0 at index (0,)"),
    (T([True]), T([False]), {},
     "Tensor-likes are not equal!\n\nMismatched elements: 1 / 1 (100.0%)\n"
     "Greatest absolute difference: 1 at index (0,)\nGreatest relative difference: inf at index (0,)"),
    (T([NAN, 1.0]), T([NAN, 3.0]), {},
     "Tensor-likes are not close!\n\nMismatched elements: 2 / 2 (100.0%)\n"
     "Greatest absolute difference: nan at index (0,) (up to 1e-05 allowed)\n"
     "Greatest relative difference: nan at index (0,) (up to 1.3e-06 allowed)"),
    (np.array([1.0]), np.array([2.0]), {},
     "Tensor-likes are not close!\n\nMismatched elements: 1 / 1 (100.0%)\n"
     "Greatest absolute difference: 1.0 at index (0,) (up to 1e-07 allowed)\n"
     "Greatest relative difference: 0.5 at index (0,) (up to 1e-07 allowed)"),
    (T(1.0), T(2.0), {},
     "Scalars are not close!\n\nExpected 2.0 but got 1.0.\nAbsolute difference: 1.0 (up to 1e-05 allowed)\n"
     "Relative difference: 0.5 (up to 1.3e-06 allowed)"),
    (5, 0, {}, "Scalars are not equal!\n\nExpected 0 but got 5.\nAbsolute difference: 5\n"
     "Relative difference: inf"),
    (True, False, {}, "Booleans mismatch: True is not False"), (None, 1, {}, "None mismatch: None is not 1"),
    (1, 1.0, {}, "The (d)types do not match: <class 'int'> != <class 'float'>."),
    (T([1.0]), T([1.0, 2.0]), {},
     "The values for attribute 'shape' do not match: torch.Size([1]) != torch.Size([2])."),
    (T([1.0]), T([1.0]).double(), {},
     "The values for attribute 'dtype' do not match: torch.float32 != torch.float64."),
    (T([[1.0, 2.0]]).t(), T([[1.0], [2.0]]), {"check_stride": True},
     "The values for attribute 'stride()' do not match: (1, 2) != (1, 1)."),
    ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, {},
     "Scalars are not equal!\n\nExpected 3 but got 2.\nAbsolute difference: 1\n"
     "Relative difference: 0.3333333333333333\n\nThe failure occurred for item ['a'][1]['b']"),
    ({"a": 1, "c": 2}, {"b": 1, "c": 2}, {},
     "The keys of the mappings do not match:\nMissing keys in the actual mapping: ['b']\n"
     "Additional keys in the actual mapping: ['a']"),
    ([1], [1, 2], {}, "The length of the sequences mismatch: 1 != 2"),
    (T([1.0]), T([2.0]), {"msg": "hello"}, "hello"),
    ([1], [2], {"msg": lambda text: text.splitlines()[0] + text[-3:]}, "Scalars are not equal![0]"),
]  # fmt: skip


@pytest.mark.parametrize(("actual", "expected", "options"), EQUAL)
def test_equal_values(actual, expected, options):
    assert_close(actual, expected, **options)


@pytest.mark.parametrize(("actual", "expected", "options", "message"), MESSAGES)
def test_messages(actual, expected, options, message):
    with pytest.raises(AssertionError) as caught:
        assert_close(actual, expected, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(("actual", "expected"), [
    ("a", "a"), (object(), object()), (T([1.0]), 1.0), (1.0, T(1.0)), (np.ones(1), tc.ones(1)),
    ([1, "a"], [2, "b"]), (T([1.0]), [1.0]),
])  # fmt: skip
def test_other_objects_are_type_errors(actual, expected):
    with pytest.raises(TypeError, match="No comparison pair was able to handle inputs of type"):
        assert_close(actual, expected)


def test_wrong_options():
    with pytest.raises(ValueError, match="must be either specified or omitted, but got no atol"):
        assert_close(1.0, 1.0, rtol=0.1)
    with pytest.raises(ValueError, match="atol must be at least 0, got -1"):
        assert_close(1.0, 1.0, rtol=0.1, atol=-1)
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(tc.nn.Parameter(T([1.0])), T([1.0]), allow_subclasses=False)


@pytest.mark.parametrize(
    ("dtype", "rtol"), [(tc.float16, 1e-3), (tc.float32, 1.3e-6), (tc.float64, 1e-7)]
)
def test_tolerances(dtype, rtol):
    x = tc.full((3,), 1000.0, dtype=tc.float64)
    assert_close((x * (1 + 0.5 * rtol)).to(dtype), x.to(dtype))
    with pytest.raises(AssertionError):
        assert_close((x * (1 + 2.5 * rtol)).to(dtype), x.to(dtype))


def test_it_needs_no_hypothesis():
    code = """if True:
        import sys
        sys.modules["hypothesis"] = None
        import tinygrad_cnn as tc
        tc.testing.assert_close(tc.ones(2), tc.ones(2))
        from tinygrad_cnn.testing import assert_close
        try:
            from tinygrad_cnn.testing import check_op
        except ModuleNotFoundError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        "tinygrad_cnn.testing needs Hypothesis: pip install 'tinygrad_cnn[testing]'" in done.stdout
    )
