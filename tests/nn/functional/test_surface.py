"""All of nn.functional and nn.init: signatures, annotations, docstrings, wrong arguments."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.nn import init

RECORDED = Path(__file__).parents[2] / "conformance" / "recorded" / "signatures.json"
SPACES = {"torch.nn.functional": F, "torch.nn.init": init}
TABLE = {
    path: row["overloads"]
    for path, row in json.loads(RECORDED.read_text()).items()
    if path.rpartition(".")[0] in SPACES
}
FUNCTIONS = [
    f"torch.nn.functional.{name}"
    for name in dir(F)
    if inspect.isfunction(getattr(F, name)) and not name.startswith("_")
]


def ours(path):
    space, _, name = path.rpartition(".")
    return getattr(SPACES[space], name)


def as_texts(signature):
    """The parameters of a signature as the table has them, without types and defaults."""
    texts = []
    for p in signature.parameters.values():
        if p.kind is p.KEYWORD_ONLY and "*" not in texts:
            texts.append("*")
        texts.append(p.name)
    return texts


@pytest.mark.parametrize("path", TABLE)
def test_there_are_no_more_parameters_than_pytorch_has_in_the_same_order(path):
    wanted = [re.split("[: ]", text)[0] for text in TABLE[path][0][:-1]]
    assert as_texts(inspect.signature(ours(path))) == wanted


def test_all_of_the_table_and_nothing_else_is_public():
    assert set(FUNCTIONS) == {path for path in TABLE if path.startswith("torch.nn.functional")}


@pytest.mark.parametrize("path", TABLE)
def test_every_parameter_is_annotated_and_an_example_is_shown(path):
    function = ours(path)
    signature = inspect.signature(function)
    assert all(p.annotation is not p.empty for p in signature.parameters.values())
    assert signature.return_annotation is not signature.empty
    assert ">>> " in function.__doc__


# --- Arguments that are no Tensor ---

OTHERS = {  # required arguments besides the Tensors
    "kernel_size": 1, "output_size": 2, "norm_type": 2.0, "pad": (0, 0), "threshold": 0.0,
    "value": 0.0, "normalized_shape": 2, "num_groups": 1, "size": 1, "upscale_factor": 1,
    "downscale_factor": 1, "groups": 1, "embed_dim_to_check": 2, "num_heads": 1,
    "add_zero_attn": False, "dropout_p": 0.0, "var": 1.0, "running_mean": None, "running_var": None,
    "in_proj_weight": None, "in_proj_bias": None, "bias_k": None, "bias_v": None,
    "out_proj_bias": None, "val": 1.0, "sparsity": 0.5,
}  # fmt: skip
UNUSED = {"static_k", "static_v", "out"}  # missing; `div` checks it
WANTED = [
    (path, name, k)
    for path in (*FUNCTIONS, *(path for path in TABLE if path.startswith("torch.nn.init")))
    for k, (name, p) in enumerate(inspect.signature(ours(path)).parameters.items(), 1)
    if p.annotation in ("Tensor", "Tensor | None") and name not in UNUSED
]


@pytest.mark.parametrize("wrong", [2.0, np.ones((2, 2))], ids=["number", "array"])
@pytest.mark.parametrize(("path", "name", "place"), WANTED)
def test_a_number_or_an_array_for_a_tensor_is_an_error_in_pytorchs_words(path, name, place, wrong):
    function = ours(path)
    given = {}
    for n, p in inspect.signature(function).parameters.items():
        if p.default is p.empty:
            given[n] = tc.ones(2, 2) if p.annotation == "Tensor" else OTHERS[n]
    given[name] = wrong
    kind = "numpy.ndarray" if isinstance(wrong, np.ndarray) else "float"
    message = (
        f"{function.__name__}(): argument '{name}' (position {place}) must be Tensor, not {kind}"
    )
    with pytest.raises(TypeError, match=re.escape(message)):
        function(**given)


@pytest.mark.parametrize("name", ["linear", "conv2d", "conv_transpose2d"])
def test_a_weight_that_is_missing_is_such_an_error(name):
    message = rf"{name}\(\): argument 'weight' \(position 2\) must be Tensor, not NoneType"
    with pytest.raises(TypeError, match=message):
        getattr(F, name)(tc.ones(1, 1, 2, 2), None)


# --- Settings with cached results ---

IMAGE, FILTER = tc.ones(1, 1, 6, 6), tc.ones(1, 1, 2, 2)


@pytest.mark.parametrize("wrong", [1.0, True, (1.0, 1.0), (True, True), [1.0, 1], "1"])
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda v: F.conv2d(IMAGE, FILTER, stride=v), "stride"),
        (lambda v: F.conv2d(IMAGE, FILTER, dilation=v), "dilation"),
        (lambda v: F.conv_transpose2d(IMAGE, FILTER, padding=v), "padding"),
        (lambda v: F.max_pool2d(IMAGE, v), "kernel_size"),
        (lambda v: F.max_pool2d(IMAGE, 2, v), "stride"),
        (lambda v: F.avg_pool2d(IMAGE, 2, 1, v), "padding"),
        (lambda v: F.adaptive_avg_pool2d(IMAGE, v), "output_size"),
    ],
)
def test_numbers_that_equal_integers_are_refused_also_after_those_integers(call, name, wrong):
    call(1), call((1, 1)), call([1, 1]), call(np.int64(1))
    with pytest.raises(TypeError, match=f"{name} must be an integer or two, got"):
        call(wrong)


@pytest.mark.parametrize("wrong", [1.0, True, "1"])
def test_groups_are_an_integer(wrong):
    F.conv2d(IMAGE, FILTER, groups=1)
    with pytest.raises(TypeError, match="conv2d: groups must be an integer, got"):
        F.conv2d(IMAGE, FILTER, groups=wrong)


def test_settings_that_are_remembered_serve_other_inputs_of_the_same_shape():
    x = tc.randn(2, 3, 4, 6, 6)
    for pool in (F.max_pool3d, F.avg_pool3d):
        first = pool(x, 2, ceil_mode=True)
        assert pool(x + 1.0, 2, ceil_mode=True).allclose(first + 1.0, atol=1e-5)
        assert pool(x[0], 2, ceil_mode=True).allclose(first[0])
    w = tc.randn(3, 3, 2, 2)
    for conv in (F.conv2d, F.conv_transpose2d):
        first = conv(x[:, :, 0], w, stride=2)
        assert conv(2.0 * x[:, :, 0], w, stride=2).allclose(2.0 * first, atol=1e-4)
