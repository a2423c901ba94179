"""Drawn programs: this package, the naive oracle and PyTorch compute the same numbers."""

import re

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import tinygrad_cnn as tc
from tests.conformance.record_programs import for_torch
from tinygrad_cnn import engine, ops
from tinygrad_cnn.engine import walk
from tinygrad_cnn.testing import GradientError, Program, graph_programs
from tinygrad_cnn.testing.programs import oracle
from tinygrad_cnn.testing.programs.drawn import build
from tinygrad_cnn.testing.programs.program import difference
from tinygrad_cnn.testing.programs.statements import KINDS

try:
    import torch
    import torch.utils.checkpoint
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="compares with PyTorch, if it is installed")

several = settings(max_examples=15 * settings().max_examples)


A = "a = real([1.0, 2.0, -3.0], requires_grad=True)"
ONES = "real([1.0, 1.0, 1.0])"

# Mistakes that these tests once found
FOUND = {
    "retain_grad stays behind when a view of its tensor is written": (
        A, "t = a * 2.0", "t.retain_grad()", "v = t[0]", "v.mul_(10.0)", f"t.backward({ONES})",
    ),
    "retain_grad of a view stays behind when the base is written": (
        A, "t = a * 2.0", "v = t[:2]", "v.retain_grad()", "t.mul_(10.0)",
        "(v * v).sum().backward()",
    ),
    "the gradient of a write through a view of a tensor of no axes": (
        "a = real(2.0, requires_grad=True)", "t = a * a", "v = t.view(1)", "v[0] *= 2.0",
        "t.backward()",
    ),
    "the gradient of a write to a tensor of no axes": (
        "a = real(2.0, requires_grad=True)", "t = a * 1.0", "t.copy_(a * a)", "t.sin().backward()",
    ),
}  # fmt: skip


# --- Against the oracle ---------------------------------------------------------------------------


@several
@given(graph_programs())
def test_programs_agree_with_the_oracle(program):
    program.check(tc)


@pytest.mark.parametrize("what", FOUND)
def test_what_was_found_is_mended(what):
    Program(FOUND[what]).check(tc)


def test_programs_are_the_same_for_the_same_numbers_and_print_as_code():
    steps = [(3 * k, k, k % 5, 7 * k, k % 11) for k in range(len(KINDS))]
    program = build(1, [(0, True), (1, True)], steps)
    assert program == build(1, [(0, True), (1, True)], steps)
    scope = {}
    exec(repr(program), scope)
    outcome = program.run(tc)
    assert outcome.error is None
    for name, value in outcome.values.items():
        np.testing.assert_array_equal(scope[name].detach().numpy(), value)


def test_programs_hold_all_that_they_should():
    seen = {}

    @settings(max_examples=300, phases=[Phase.generate])
    @given(graph_programs())
    def collect(program):
        text = repr(program)
        for what in (
            r"\* ", r"\+ ", "@", r"\.add_|\+=", r"\.mul_|\*=", "relu_", "copy_", r"\] = ", r"\] \*=",
            "view", "reshape", "transpose", "expand", "detach", "no_grad", "retain_grad",
            "register_hook", "retain_graph", r"backward\(\)", "where", "maximum", "amax", "mean",
            "sum", "cat", "grad = None", "requires_grad_", r"hook\('h\d+'\)", r"hook\('h\d+', ",
            r"checkpoint\(lambda u", r"checkpoint\(lambda v: ", "checkpoint.*hooked", "layer_norm",
            "batch_norm", "rms_norm", "instance_norm", r"autograd\.grad", r"backward\(.*inputs=",
            r"autograd\.grad.*create_graph", r"backward.*create_graph", r"grad\.clone",
        ):  # fmt: skip
            seen[what] = seen.get(what, 0) + bool(re.search(what, text))
        count = len(program.lines)
        seen["most"] = max(seen.get("most", 0), count)
        seen["least"] = min(seen.get("least", 99), count)
        seen["error"] = seen.get("error", 0) + (program.run(oracle).error is not None)
        seen["programs"] = seen.get("programs", 0) + 1

    collect()
    assert min(seen.values()) > 0
    assert seen["most"] > 30
    assert seen["least"] <= 3
    assert 0.01 < seen["error"] / seen["programs"] < 0.3


# --- Wrong vjps are found -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "name", "vjp"),
    [
        (ops.sin, "x", lambda g, x: g * ops.cos(x) * 1.00001),
        (ops.mul, "a", lambda g, b: g),
        (ops.expand, "x", lambda g, x_shape: ops.sum_to(g, shape=x_shape) * 0.5),
        (ops.setitem, "x", lambda g: g),
    ],
)
def test_a_wrong_vjp_is_found_and_the_program_is_short(op, name, vjp):
    before = op.op.vjps[name]
    op.defvjp(**{name: vjp})

    @settings(max_examples=600, phases=[Phase.generate])
    @given(graph_programs())
    def check(program):
        program.check(tc)

    try:
        with pytest.raises(GradientError, match="a program differs") as caught:
            check()
    finally:
        op.defvjp(**{name: before})
    statements = caught.value.snippet.split("\n\n", 2)[2].split("\n")
    assert len(statements) <= 7


@pytest.mark.parametrize("inside", ["a composite", "a checkpoint"])
def test_hooks_that_an_inner_walk_runs_too_are_found(inside, monkeypatch):
    right = walk.backward

    def wrong(roots, *, inner=False, **options):
        found = right(roots, inner=inner, **options)
        if inner:
            found = {
                n: g if n.extra is None else walk._complete(n, g, {}) for n, g in found.items()
            }
        return found

    monkeypatch.setattr(walk if inside == "a composite" else engine, "backward", wrong)

    @settings(max_examples=600, phases=[Phase.generate])
    @given(graph_programs())
    def check(program):
        program.check(tc)

    with pytest.raises(GradientError, match="a program differs"):
        check()


# --- Against PyTorch ------------------------------------------------------------------------------

# Programs that this package refuses and PyTorch allows: (a part of our message, the reason)
REFUSED_HERE = (
    ("is read-only: clone", "a part of an expanded tensor: NumPy cannot write it"),
    ("refers to a single memory location", "the same"),
)
# Programs that PyTorch refuses; the oracle checks our numbers: (a part of its message, the reason)
REFUSED_THERE = (
    ("a leaf Variable that requires grad", "a view made before its constant base joined the graph"),
    ("a view of a leaf Variable", "the same"),
    ("a second time", "a write through a view, gone through twice, where nothing was saved"),
    (
        "modified by an inplace",
        "y.backward(inputs=[y]) runs the vjp of y's op, which nothing needs",
    ),
)


@needs_torch
@pytest.mark.filterwarnings("ignore:Using backward")  # PyTorch warns once a process, so not always
@several
@given(graph_programs())
def test_programs_agree_with_pytorch(program):
    ours = program.run(tc)
    theirs = for_torch(program).run(torch)
    found = difference(ours, theirs)
    if found is None:
        return
    assert ours.error or theirs.error, f"{found}\n{program}"
    here = ours.error and (theirs.line is None or ours.line < theirs.line)
    message, known = (ours.message, REFUSED_HERE) if here else (theirs.message, REFUSED_THERE)
    assert any(part in message for part, _ in known), f"{found}\n{program}"
