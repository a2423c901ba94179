"""Each public function and method has PyTorch's signature, and takes NumPy's names as PyTorch does.

The tables are `recorded/signatures.json` and `recorded/classes.json`; `record_signatures` explains and
writes them.
"""

import inspect
import itertools
import json
from pathlib import Path

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tests.each import each

from .record_signatures import arguments, find, parameters_of

RECORDED = Path(__file__).parent / "recorded"
TABLE = json.loads((RECORDED / "signatures.json").read_text())
CLASSES = json.loads((RECORDED / "classes.json").read_text())
SPACES = {"torch": tc, "torch.Tensor": tc.Tensor, "torch.nn.functional": F,
          "torch.nn.init": tc.nn.init}  # fmt: skip

# Parameters that are missing here, and the alternative for each.
NOT_HERE: dict[str, str] = {
    "scalar": "of result_type: a number by its own keyword. By place it is taken",
    "scalar1": "the same",
    "scalar2": "the same",
    "storage": "of Tensor.new: there are no storages. from_numpy and new(array) share memory",
    "out_dtype": "of matrix products on CUDA: PyTorch's CPU refuses it, and so does an unknown keyword",
}
# Overloads whose positional argument has two names: both work, by position and by keyword.
# A key with a dot is for one function only.
TWO_NAMES: dict[str, str] = {
    "repeat_interleave.repeats": "repeat_interleave(repeats), beside repeat_interleave(input, repeats)",
    "result_type.tensor": "result_type(number, tensor) by place, beside result_type(tensor, other)",
    "scatter.value": "scatter(input, dim, index, value), beside src",
    "scatter_.value": "the same",
    "arange.end": "arange(end), beside arange(start, end)",
    "max.other": "max(input, other), beside max(input, dim)",
    "min.other": "min(input, other), beside min(input, dim)",
    "randint.high": "randint(high, size), beside randint(low, high, size)",
    "randint.size": "the same",
    "randint_like.high": "randint_like(input, high), beside randint_like(input, low, high)",
    "random_.to": "random_(to), beside random_(from, to)",
    "std.unbiased": "std(input, unbiased), beside std(input, dim, unbiased)",
    "std_mean.unbiased": "the same",
    "isin.element": "isin(element, test_elements), beside isin(elements, test_elements)",
    "isin.test_element": "the same",
    "tensor_split.sections": "tensor_split(input, sections), and with the other two names",
    "tensor_split.indices": "the same",
    "to.copy": "to(dtype) and to(other), beside to(device, dtype)",
    "to.dtype": "the same",
    "to.non_blocking": "the same",
    "to.other": "the same",
    "var.unbiased": "as of std",
    "var_mean.unbiased": "as of std",
}


def ours(path):
    space, _, name = path.rpartition(".")
    return getattr(SPACES[space], name)


def parameters(overload):
    """(name, kind, default text or None) for each parameter of an overload in the table."""
    kind = "by place"
    for text in overload[:-1]:
        if text == "*":
            kind = "by name"
            continue
        name, _, default = text.partition(" = ")
        name = name.split(":")[0]
        if name.startswith("**"):
            continue
        if name.startswith("*"):
            yield name[1:], "any number", None
            kind = "by name"
        else:
            yield name, kind, default or None


@each(TABLE)
def test_each_overload_fits_the_signature(path):
    function = ours(path)
    signature = inspect.signature(function)
    known = dict(signature.parameters)
    if next(iter(known), "") in ("self", "cls"):
        known.pop(next(iter(known)))
    places = [n for n, p in known.items() if p.kind is not p.KEYWORD_ONLY]
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in known.values())
    defaults = [p for overload in TABLE[path]["overloads"] for p in parameters(overload)]
    for overload in TABLE[path]["overloads"]:
        for place, (name, kind, default) in enumerate(parameters(overload)):
            if name in NOT_HERE:
                continue
            assert name in known, f"{path} has no {name}: {signature}, wanted {overload}"
            two_names = {name, f"{path.rpartition('.')[2]}.{name}"} & TWO_NAMES.keys()
            if kind == "by place" and not takes_any and not two_names:
                assert places[place : place + 1] == [name], f"{name} of {path} is not at {place}"
            has = known[name].default
            if default is not None and has is not inspect.Parameter.empty:
                allowed = [text for n, _, text in defaults if n == name and text is not None]
                fits = any(repr(has) == text or has == eval(text, {}, {}) for text in allowed)
                assert fits, (path, name, has)
            if kind != "any number" and default is None and len(TABLE[path]["overloads"]) == 1:
                assert has is inspect.Parameter.empty, f"{path}: {name} has a default"


@each([p for p in TABLE if TABLE[p].get("number", "").startswith("TypeError")])
def test_numbers_where_tensors_are_wanted_are_errors_in_pytorchs_words(path):
    wanted = TABLE[path]["number"].removeprefix("TypeError: ")
    if "descriptor" in wanted or "takes 1 positional" in wanted:
        pytest.skip("the words are of PyTorch's C code")
    function = ours(path)
    tensors = [
        k
        for k, text in enumerate(TABLE[path]["overloads"][0])
        if ": Tensor" in text and " = " not in text
    ]
    lists = "must be tuple of Tensors" in wanted
    args = [tc.ones(2)] if lists else [2.0] * max(len(tensors), 1)
    with pytest.raises(TypeError) as caught:
        function(*args)
    said = str(caught.value)
    assert (
        said.split(" - got")[0].split(", not")[0].split(" (position")[0]
        == (wanted.split(" - got")[0].split(", not")[0].split(" (position")[0])
    )


def calls_by_numpys_names():
    for path, row in TABLE.items():
        for parameter, others in row.get("aliases", {}).items():
            yield from ((path, parameter, other) for other in others)


@each([*calls_by_numpys_names()])
def test_numpys_names_are_taken(path, parameter, other):
    method = path.startswith("torch.Tensor.")
    found = [arguments(tc, ours(path), o, method) for o in TABLE[path]["overloads"]]
    call = next(c for c in found if c is not None and parameter in c.named)
    tc.manual_seed(0)
    wanted = call.run({})
    tc.manual_seed(0)
    assert repr(call.run({parameter: other})) == repr(wanted)
    assert not call.takes({parameter: "nothing"})


# --- Classes ------------------------------------------------------------------------------------

# Intended differences: the path, and the reason.
DIFFERENT: dict[str, str] = {
    "func.jacrev": "has no _preallocate_and_copy, which is private",
    "autograd.no_grad": "shows the function that it decorates, as PyTorch's enable_grad does",
    "serialization.load": "has max_objects, without which small files could fill the memory",
    "utils.checkpoint.checkpoint": "names preserve_rng_state, which PyTorch takes from **kwargs",
}


@each(CLASSES)
def test_constructors_and_methods_have_pytorchs_signatures(path):
    own = find(tc, path)
    for name, wanted in CLASSES[path].items():
        if wanted == ["*args", "**kwargs"] or (path in DIFFERENT and not name):
            continue
        found = parameters_of(getattr(own, name) if name else own)
        assert found is not None, name
        found = [
            text.split(" = ")[0] + " = ..." if other.endswith("...") and " = " in text else text
            for text, other in itertools.zip_longest(found, wanted, fillvalue="")
        ]
        assert [t for t in found if t] == wanted, f"{path}.{name}"
