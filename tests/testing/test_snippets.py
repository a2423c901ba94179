"""The snippet of a failure runs in an empty file, and fails as the check did."""

import json
import linecache
import os
import subprocess
import sys

import numpy as np
import pytest

from tinygrad_cnn.engine import define, registry, variant
from tinygrad_cnn.testing import Call, GradientError, check_call, check_convention
from tinygrad_cnn.testing.show import show, show_array
from tinygrad_cnn.testing.snippets import snippet
from tinygrad_cnn.testing.source import Unknown, source_of
from tinygrad_cnn.testing.values import laid_out

# A user's script. Its ops are in `__main__`, in functions, or decorated. It prints the failures.
SCRIPT = '''
import functools
import json
import math

import numpy as np
from hypothesis import Phase, settings, strategies as st

from tinygrad_cnn import op, testing
from tinygrad_cnn.engine import define, registry, variant

FACTOR = 1.5
CALLS = testing.separated_arrays(avoid=[0.0]).map(lambda x: testing.Call((x,)))


def slope(y):
    return FACTOR * (1.0 - abs(y))


@op
def script_softsign(x):
    """y = x / (1 + |x|), with a wrong vjp"""
    return x / (1 + np.abs(x))


script_softsign.defvjp(x=lambda g, y: g * slope(y))


def scaled(factor, shift=0.0):
    """A closure, and its name is that of an op of the package."""

    @define
    def tanh(x, *, n: int = 2):
        """y = factor · n · x

        The vjp ignores n.
        """
        return x * factor * n + shift

    tanh.defvjp(x=lambda g: g * factor)
    return tanh


def noisy(forward):
    @functools.wraps(forward)
    def decorated(x):
        return forward(x)

    return decorated


@op
@noisy
def script_decorated(x):
    return x * x


script_decorated.defvjp(x=lambda g, x: g * x)


@define
def second(x):
    return np.exp(x)


second.defvjp(x=lambda g, y: g * getattr(y, "_array", y))  # no second derivative


@define
def special(x, *, mode):
    return x * np.where(np.isfinite(mode), 1.0, 1.0 + np.signbit(mode))


special.defvjp(x=lambda g: g)


@define
def contiguous(x):
    return x * 1.0


contiguous.defvjp(x=lambda g, x: g * (1.0 if x.strides[0] else 3.0))


@define
def reader(x):
    return x * (1.0 if x.flags.writeable else 2.0)


reader.defvjp(x=lambda g: g)


@define
def long(x):
    """A long explanation.LINES
    """
    return x * 2.0


long.defvjp(x=lambda g: g)


def just(*inputs, **attributes):
    return st.just(testing.Call(inputs, attributes))


def cases():
    """(name, op, strategy, options of check_op)."""
    x = np.array([0.5, -0.0, 2.0])
    wrong_sin = variant(registry["sin"], vjps={"x": lambda g, x: g * x})
    large = testing.separated_arrays((20, 15))
    values = [math.inf, -math.inf, math.nan, -0.0]
    return [
        ("script", script_softsign, CALLS, {}),
        ("closure", scaled(2.5, -0.5), CALLS, {"second_order": False}),
        ("decorated", script_decorated, CALLS, {}),
        ("variant", wrong_sin, CALLS, {}),
        ("reference", registry["mul"], just(x, x), {"reference": lambda a, b: a * b * FACTOR}),
        ("linear", script_softsign, just(x), {"linear_in": "x"}),
        ("passes without second order", second, CALLS, {}),
        ("special values", special, just(np.ones(4), mode=np.array(values, np.float32)), {}),
        ("stride 0", contiguous, just(np.broadcast_to(np.array([1.5]), (3,))), {}),
        ("read-only", reader, just(_read_only(x)), {}),
        ("large", script_softsign, large.map(lambda a: testing.Call((a,))), {}),
        ("view", script_softsign, large.map(lambda a: testing.Call((a.T,))), {}),
        ("constant", script_softsign, just(np.full((20, 15), 1.5)), {}),
        ("noise", script_softsign, just(np.random.default_rng(3).normal(size=(20, 15))), {}),
        ("long", long, CALLS, {}),
    ]


def _read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def failures():
    """The failure of each case: verdict, input, message and snippet."""
    settings.register_profile("snippets", max_examples=3, database=None, phases=[Phase.generate])
    settings.load_profile("snippets")
    found = {}
    for name, wrong, strategy, options in cases():
        try:
            testing.check_op(wrong, strategy, **options)
        except testing.GradientError as error:
            found[name] = [error.verdict, error.input, error.index, str(error), error.snippet]
    return found


if __name__ == "__main__":
    print(json.dumps(failures()))
'''.replace("LINES", "\n    more" * 40)

RUNNER = """
import json, sys
from tinygrad_cnn.testing import GradientError
found = {}
for name, code in json.load(sys.stdin).items():
    try:
        exec(code, {"__name__": name})
    except GradientError as error:
        found[name] = [error.verdict, error.input, error.index]
print(json.dumps(found))
"""


def run(arguments, folder, given=""):
    """The JSON that a Python process prints."""
    environment = {**os.environ, "TINYGRAD_CNN_KERNELS": "vectorized", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, *arguments], input=given, capture_output=True, encoding="utf-8",
        cwd=folder, env=environment,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def test_snippets_of_a_script_run_in_an_empty_file(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    failures = run(["script.py"], tmp_path)
    assert len(failures) == 15
    for name, (*_, message, code) in failures.items():
        assert message.count("\n") < 60, name
        assert len(message) <= 4000, name
        assert code.count("np.load") == (name == "noise"), name
    empty = tmp_path / "empty"
    empty.mkdir()
    np.save(empty / "inputs_0.npy", np.random.default_rng(3).normal(size=(20, 15)))
    codes = json.dumps({name: code for name, (*_, code) in failures.items()})
    again = run(["-c", RUNNER], empty, codes)
    assert again == {name: found[:3] for name, found in failures.items()}
    assert "runpy" not in failures["long"][-1] or "script.py" in failures["long"][-1]
    assert "second_order=False" in failures["closure"][-1]


# --- Ops of a module, a registry, and nowhere -----------------------------------------------------


@define
def of_this_module(x):
    return x * x


of_this_module.defvjp(x=lambda g, x: g * x)


def failure_of(check, *arguments, **options):
    with pytest.raises(GradientError) as caught:
        check(*arguments, **options)
    return caught.value


def test_an_op_of_a_module_is_imported():
    error = failure_of(check_call, of_this_module, Call((np.array([0.5, 2.0]),)))
    assert "import of_this_module" in error.snippet
    assert "sys.path.insert(0, " in error.snippet
    assert "def of_this_module" not in error.snippet


def test_an_op_of_the_same_name_is_not_taken_for_another():
    """Not even where neither import nor copy gives the right one."""

    class Forward:
        """A forward with a state, which no code makes again."""

        __name__, __module__ = "tanh", "tinygrad_cnn.ops.elementwise"
        __defaults__ = __kwdefaults__ = None
        __code__ = of_this_module.forward.__code__

        def __call__(self, x):
            return x * x

    other = variant(registry["tanh"], Forward())
    code = snippet(other, Call((np.array([1.0]),)))
    assert "registry" not in code
    assert (
        "# This file needs the op tanh of tinygrad_cnn.ops.elementwise: it cannot be copied" in code
    )


def test_a_source_that_was_edited_is_not_taken_for_the_function():
    """As of a file that was saved after it was imported."""
    name = "<a notebook>"
    linecache.cache[name] = (0, None, ["f = lambda g, x: g * x * 3.0\n"], name)
    exec(compile("f = lambda g, x: g * x * 2.0\n", name, "exec"), scope := {})
    with pytest.raises(Unknown, match="whose source has changed since it was read"):
        source_of(scope["f"])
    linecache.cache[name] = (0, None, ["f = lambda g, x: g * x * 2.0\n"], name)
    assert source_of(scope["f"]) == "lambda g, x: g * x * 2.0"
    del linecache.cache[name]


def test_a_changed_vjp_of_an_op_of_the_package_is_in_the_snippet():
    wrong = variant(registry["sin"], vjps={"x": lambda g, x: g * x})
    error = failure_of(check_call, wrong, Call((np.array([0.5, 2.0]),)))
    assert "vjps={'x': lambda g, x: g * x}" in error.snippet
    again = failure_of(exec, error.snippet, {})
    assert (again.verdict, again.index) == (error.verdict, error.index)


def test_the_snippet_of_a_convention_runs():
    call = Call((np.array([0.0, np.inf]),))
    error = failure_of(check_convention, "relu", call, "x", [np.nan, 1.0])
    again = failure_of(exec, error.snippet, {})
    assert again.verdict == error.verdict


@pytest.mark.parametrize("size", [1, 30, 300, 100_000])
def test_messages_are_short(size):
    """Also with many inputs, and long messages of the op."""

    def raises(*xs):
        raise ValueError("\n".join(map(str, range(1000))))

    @define
    def long_op(*xs):
        return raises(*xs)

    long_op.defvjp(xs=lambda g, i: g)
    xs = [np.random.default_rng(k).normal(size=size) for k in range(30)]
    error = failure_of(check_call, long_op, Call(tuple(xs)))
    assert str(error).count("\n") < 60
    assert len(str(error)) <= 4000
    assert error.call.inputs[29] is xs[29]


# --- Arrays ---------------------------------------------------------------------------------------

BASE = np.arange(24.0).reshape(2, 3, 4) / 7


@pytest.mark.parametrize(
    "x",
    [
        BASE,
        BASE.T,
        BASE[::-1, :, ::-2],
        BASE[:, :2],
        np.broadcast_to(BASE[:, :1], (2, 3, 4)),
        np.broadcast_to(np.float32(0.1), ()),
        np.array([np.nan, np.inf, -np.inf, -0.0]),
        np.array([0.1, 65504], np.float16),
        np.array([True, False]),
        np.array([2**63], np.uint64),
        np.array([1.5, 2.5], ">f8"),
        np.array([1 + 2j, complex(np.nan, -0.0)]),
        np.zeros((0, 3), np.float32),
        np.full((50, 50), -0.0),
        np.full((50, 50), np.nan, np.float32),
        np.linspace(-1, 1, 3000).reshape(50, 60),
        np.arange(5000),
        np.repeat([1.25, -3.5], 600),
    ],
    ids=str,
)
def test_an_array_is_shown_with_its_bits_and_its_layout(x):
    again = eval(show_array(x), {"np": np, "laid_out": laid_out})
    assert again.tobytes() == x.tobytes()
    assert (again.dtype, again.shape) == (x.dtype, x.shape)
    assert again.flags.writeable == x.flags.writeable
    if x.size:
        assert again.strides == x.strides


def test_other_values_are_shown_as_expressions():
    values = [(), (1,), [2, (3,)], {"a": slice(0, None)}, np.float32(0.5), -0.0, ..., None, "x", 1j]
    assert eval(show(values), {"np": np}) == values
    assert show([np.float64(np.nan), float("inf")]) == "[np.float64(float('nan')), float('inf')]"
