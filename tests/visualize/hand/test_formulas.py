"""Formulas as the page prints them: read again as arithmetic, they give the engine's gradient."""

import inspect
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import engine, ops
from tinygrad_cnn.testing import strategy_for
from visualize.hand.arithmetic import number_text
from visualize.hand.formulas import formulas_of

POINTWISE = ("elementwise", "arithmetic", "activation", "special", "gamma", "loss")
OPS = {name: op for name, op in engine.registry.items() if op.forward.__module__.startswith("tiny")}
FAMILY = {name: op.forward.__module__.rpartition(".")[2] for name, op in OPS.items()}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
MEANINGS = {
    "e": math.e, "pi": math.pi, "inf": math.inf, "nan": math.nan, "ln": math.log, "sqrt": math.sqrt,
    "abs": abs, "floor": math.floor, "min": min, "max": max, "trunc": math.trunc,
    "sign": lambda x: float(np.sign(x)), "sigma": lambda x: 1 / (1 + math.exp(-x)),
    "Phi": lambda x: (1 + math.erf(x / math.sqrt(2))) / 2,
    "phi": lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "polygamma": lambda n, x: float(ops.polygamma(np.float64(x), n=int(n))),
    "psi": lambda x: float(ops.digamma(np.float64(x))),
    "trigamma": lambda x: float(ops.polygamma(np.float64(x), n=1)),
} | {name: getattr(math, name) for name in (
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh",
    "log2", "log10", "erf", "erfc")}  # fmt: skip


def arithmetic(text):
    """The value of a formula in numbers, as a pupil with a calculator reads it."""
    for there, here in (("−", "-"), ("·", "*"), ("π", "pi"), ("∞", "inf"), ("NaN", "nan"),
                        ("log₂", "log2"), ("log₁₀", "log10"), ("σ", "sigma"), ("Φ", "Phi"),
                        ("φ", "phi"), ("ψ′", "trigamma"), ("ψ", "psi")):  # fmt: skip
        text = text.replace(there, here)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: f"**({m[0].translate(RAISED)})", text)
    text = re.sub(r"√([\w.]+)", r"√(\1)", text).replace("√", "sqrt").replace("^", "**")
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    text = re.sub(r"⌊([^⌋]*)⌋", r"floor(\1)", text)
    return eval(text, {"__builtins__": {}}, MEANINGS)


def test_the_reader_of_arithmetic():
    assert arithmetic("−3 · −2") == 6
    assert arithmetic("2 − (−3)² / √4 + e^(−0)") == 2 - 9 / 2 + 1
    assert arithmetic("|−2| + ⌊−1.5⌋") == 0


@pytest.mark.parametrize("name", [n for n in OPS if FAMILY[n] in POINTWISE and OPS[n].vjps])
def test_every_op_of_scalars_has_its_formulas(name):
    op = OPS[name]
    found = formulas_of(inspect.cleandoc(op.forward.__doc__), op.inputs, op.attributes)
    assert set(found.gradients) == set(op.vjps)


def scalar_call(op, call):
    """The call on 0-d tensors, the first element of each array, and these by name.

    None if the op wants axes.
    """
    if op.variadic or any(isinstance(x, np.ndarray) and not x.size for x in call.inputs):
        return None
    inputs = [x.ravel()[0] if isinstance(x, np.ndarray) else x for x in call.inputs]
    names = [n for n, x in zip(op.inputs, inputs, strict=False)
             if isinstance(x, np.floating) and n in op.vjps]  # fmt: skip
    tensors = [
        tc.tensor(float(x), dtype=tc.float64, requires_grad=True) if n in names
        else tc.tensor(x) if isinstance(x, np.generic) else x
        for n, x in zip(op.inputs, inputs, strict=False)
    ]  # fmt: skip
    try:
        y = op.record(*tensors, **call.attributes)
        y.backward(retain_graph=True)
    except Exception:  # of any type: it takes no scalars
        return None
    if not names or not isinstance(y, tc.Tensor) or y.shape != () or not y.requires_grad:
        return None
    return y, {n: t for n, t in zip(op.inputs, tensors, strict=False) if n in names}


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if strategy_for(op) is not None])
def test_formulas_as_shown_give_the_engine_s_gradient(name, data_of):
    op, worked = OPS[name], []

    @settings(max_examples=4)
    @given(call=strategy_for(op), g=st.sampled_from([1.5, -2.0]))
    def check(call, g):
        found = scalar_call(op, call)
        if found:
            check_shown(op, *found, tc.tensor(g, dtype=tc.float64), data_of)
            worked.append(call)

    check()
    assert worked or FAMILY[name] not in POINTWISE


def check_shown(op, y, names, g, data_of):
    """The lines of the page for y, the result of `op` on the named scalars."""
    found = visualize.by_hand(y, names={**names, "u": y}, gradient=g, digits=17)
    page = data_of(found.html())
    wanted = tc.autograd.grad(y, list(names.values()), g, retain_graph=True)
    shown = {page["boxes"][a["target"]]["name"]: a["lines"][0] for a in page["arrivals"]}
    for name, gradient in zip(names, wanted, strict=True):
        line = shown[name]
        value = arithmetic(line["numbers"] or line["symbols"])
        np.testing.assert_allclose(value, gradient.item(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(arithmetic(line["value"]), gradient.item(), rtol=1e-12)
        if FAMILY[op.name] in POINTWISE:
            assert line["symbols"] == registered(op, name, page, y.grad_fn.attributes)


def registered(op, name, page, attributes):
    """The formula in the docstring of the op, with the names of the page in it."""
    formulas = formulas_of(inspect.cleandoc(op.forward.__doc__), op.inputs, op.attributes)
    texts = {k: number_text(float(v), 17) if isinstance(v, (int, float)) else str(v)
             for k, v in attributes.items()}  # fmt: skip
    inputs = [page["boxes"][k]["name"] for k in page["boxes"][-1]["inputs"]]
    texts |= dict(zip(op.inputs, inputs, strict=False)) | {"y": "u", "g": "∂L/∂u"}
    return formulas.gradients[name].text(texts)


def test_the_example_of_the_lecture(data_of):
    a, b = tc.tensor(2.0, requires_grad=True), tc.tensor(-3.0, requires_grad=True)
    d = a * b
    page = data_of(visualize.by_hand(d * -2.0, names={"a": a, "b": b, "d": d}).html())
    line = page["arrivals"][1]["lines"][0]
    assert [line[part] for part in ("left", "symbols", "numbers", "value")] == [
        "∂L/∂a", "b · ∂L/∂d", "−3 · −2", "6"
    ]  # fmt: skip


def test_a_number_has_the_digits_that_its_result_needs(data_of):
    x = tc.tensor(5.0, dtype=tc.float64, requires_grad=True)
    y = x.tanh()
    line = data_of(visualize.by_hand(y, names={"x": x, "y": y}).html())["arrivals"][0]["lines"][0]
    np.testing.assert_allclose(arithmetic(line["numbers"]), 1 / math.cosh(5) ** 2, rtol=1e-3)
    assert line["value"] == number_text(1 / math.cosh(5) ** 2)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x̄ = ȳ / 2x", "g / (2 · x)"),
        ("x̄ = ȳ · x · (1 − x)", "x · (1 − x) · g"),
        ("x̄ = −ȳ · x² / √x, infinite at 0", "−g · x² / √x"),
        (
            "y = x t        x̄ = ȳ · (t + 1)        t = tanh ln(1 + eˣ)",
            "(tanh(ln(1 + e^x)) + 1) · g",
        ),
        ("x̄ = ȳ where −1 < x ≤ 2, else 0: at a kink 0", "g where −1 < x ≤ 2, else 0"),
        ("x̄ = 2 (x + 1) |x| e^−x²", "2 · (x + 1) · |x| · e^(−x²)"),
        ("x̄ = ȳ where x > 0", None),  # and else?
        ("x̄ = ȳ reversed likewise", None),
        ("x̄ = Σ ȳ over the axes", None),
        ("x̄ = ȳ · q", None),
        ("x̄ = ȳ · (1 − x", None),
        ("x̄ = ", None),
        ("", None),
    ],
)
def test_docstrings_are_read(text, wanted):
    found = formulas_of(text, ("x",)).gradients.get("x")
    names = {"x": "x", "g": "g", "y": "y"}
    assert (None if found is None else found.text(names)) == wanted


def test_a_letter_stands_for_the_input_that_begins_with_it():
    found = formulas_of("x̄ = ȳ · s α w̄        w̄ = ȳ · s α", ("x", "weight"), ("scale", "alpha"))
    assert set(found.gradients) == {"weight"}
    names = {"scale": "3", "alpha": "0.5", "g": "g"}
    assert found.gradients["weight"].text(names) == "3 · 0.5 · g"


@pytest.fixture
def cubed():
    """cubed(docstring) is the text of x³ at 2 by hand, by a user's op with that docstring."""

    def text(docstring):
        def by_hand_cube(x):
            return x * x * x

        by_hand_cube.__doc__ = docstring
        cube = tc.op(by_hand_cube)
        cube.defvjp(x=lambda g, x: 3.0 * g * x * x)
        x = tc.tensor(2.0, requires_grad=True)
        return str(visualize.by_hand(cube(x), names={"x": x}))

    yield text
    del engine.registry["by_hand_cube"]


def test_a_user_s_op_is_shown_by_its_own_docstring(cubed):
    text = cubed("y = x³        x̄ = ȳ · 3x²")
    assert text == "L = x³ = 2³ = 8\n∂L/∂x = 3 · x² · ∂L/∂L = 3 · 2² · 1 = 12"


def test_a_wrong_docstring_is_not_shown(cubed):
    text = cubed("y = x³        x̄ = ȳ · 2x²")
    assert "2 · x²" not in text
    assert text.endswith("∂L/∂x = 12 · ∂L/∂L = 12 · 1 = 12")
