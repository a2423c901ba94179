"""The gate: no stock mistake survives in any op. And the table of mutants is right."""

import numpy as np
import pytest
from hypothesis import settings, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import ops
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import (
    Call,
    GradientError,
    check_op,
    entries,
    mutation_score,
    register_strategy,
)
from tinygrad_cnn.testing.__main__ import main

OPS = sorted(
    name for name, op in registry.items() if op.forward.__module__.startswith("tinygrad_cnn.ops.")
)
STEPS = {"sign", "floor", "ceil", "trunc", "round", "floor_divide"}
NIGHTLY = settings().max_examples > 100


# Mistakes that have been made in practice: (name, input, verdict)
FAMOUS = {
    "conv2d": [
        ("stride: rows for columns", "x", "vjp wrong"),
        ("stride: ignored", "w", "vjp wrong"),
        ("padding: before for behind", "x", "vjp wrong"),
        ("dilation: ignored", "w", "vjp wrong"),
        ("groups: ignored", "w", "vjp wrong"),
        ("cut off from what is saved", "x", "second derivative wrong"),
        ("forward: dilation: ignored, in the vjp too", "", "forward disagrees with its"),
    ],
    "avg_pool2d": [
        ("kernel_size: a² for a · b", "x", "vjp wrong"),
    ],
    "max_pool2d": [
        ("kernel_size: rows for columns", "x", "vjp wrong"),
        ("ties: each is paid in full", "x", "not what is documented"),
        ("ties: shared evenly", "x", "not what is documented"),
        ("stale: saved by an earlier call", "x", "vjp wrong"),
    ],
    "mean": [
        ("sum for mean: times the count", "x", "vjp wrong"),
    ],
    "relu": [
        ("kink: the gradient above", "x", "not what is documented"),
    ],
    "abs": [
        ("kink: the gradient below", "x", "not what is documented"),
    ],
    "norm": [
        ("kink: the gradient above", "x", "not what is documented"),
    ],
    "clamp": [
        ("kink: the gradient above", "x", "not what is documented"),
    ],
    "maximum": [
        ("ties: each is paid in full", "a", "not what is documented"),
    ],
    "amax": [
        ("ties: the first takes all", "x", "not what is documented"),
    ],
    "max_along": [
        ("ties: shared evenly", "x", "not what is documented"),
    ],
    "matmul": [
        ("transposed where square", "a", "vjp wrong"),
        ("not summed back to the input", "a", "raised RuntimeError: the vjp of matmul"),
    ],
    "linear": [
        ("transposed where square", "weight", "vjp wrong"),
    ],
    "add": [
        ("broadcast not undone", "b", "raised RuntimeError: the vjp of"),
    ],
    "exp": [
        ("writes to g", "x", "the vjp changed the cotangent"),
        ("writes to what is saved", "x", "the vjp changed the output"),
    ],
    "mul": [
        ("writes to what is saved", "a", "input changed"),
        ("one buffer for all calls", "a", "gradient aliases that of a later call"),
        ("in float64", "a", "in float32 the vjp makes float64"),
        ("forward: another each time", "", "not deterministic"),
        ("forward writes to its input", "", "input changed"),
    ],
    "clone": [
        ("forward returns its input's memory", "", "output aliases x"),
    ],
}


@pytest.mark.parametrize("name", OPS)
def test_no_mistake_survives_in(name):
    score = mutation_score(name, examples=300 if NIGHTLY else 30)
    assert score.survivors == []
    found = {(mutant.name, mutant.input): mutant for mutant in score.mutants}
    for input in registry[name].vjps:
        assert found["one element off by 0.001", input].fate == "killed"
        if name not in STEPS:  # the gradient is 0, so scaling it changes nothing
            assert found["× 1.0005", input].fate == "killed"
    assert found["forward × 1.0005, the vjp too", ""].fate == "killed"
    assert found["forward: last element zero, in the vjp too", ""].check == "reference"
    for mistake, input, verdict in FAMOUS.get(name, ()):
        assert found[mistake, input].verdict.startswith(verdict), mistake


def test_what_is_no_mistake_is_not_counted_as_noticed():
    score = mutation_score("neg")
    same = {mutant.name for mutant in score.equivalent}
    assert "ties: each is paid in full" in same
    assert "sum for mean: times the count" in same
    assert "stale: saved by an earlier call" in same
    assert {m.fate for m in score.mutants} == {"killed", "equivalent"}


# --- A user's op ----------------------------------------------------------------------------------


@pytest.fixture
def hinge():
    """The op max(1 − x, 0), without a convention for its kink."""

    @tc.op
    def hinge_of_a_user(x):
        return np.maximum(1 - x, 0)

    hinge_of_a_user.defvjp(x=lambda g, x: ops.where(x < 1, -g, 0.0 * g))
    yield hinge_of_a_user
    registry.pop("hinge_of_a_user", None)


def calls_of(*shape):
    """Values of both signs, away from 1."""
    rng = st.integers(0, 99).map(np.random.default_rng)
    return rng.map(lambda rng: Call((rng.permutation(np.prod(shape)).reshape(shape) - 1.5,)))


def test_without_a_reference_a_wrong_forward_survives_and_is_listed(hinge):
    score = mutation_score(hinge, calls_of(2, 3))
    assert "forward × 1.0005, the vjp too" in {mutant.name for mutant in score.survivors}
    assert "SURVIVED" in str(score)
    assert score.summary().startswith("hinge_of_a_user: ")
    good = mutation_score(hinge, calls_of(2, 3), reference=lambda x: (x < 1) * (1 - x))
    assert good.survivors == []


def test_a_convention_makes_the_kink_count(hinge):
    kink = Call((np.array([1.0, 0.0]),))
    forward = {"reference": lambda x: (x < 1) * (1 - x)}
    blind = mutation_score(hinge, calls_of(2, 3), **forward)
    assert "kink: the gradient below" in {mutant.name for mutant in blind.equivalent}
    seeing = mutation_score(
        hinge, calls_of(2, 3), conventions=[(kink, "x", [0.0, -1.0])], **forward
    )
    found = {m.name: m for m in seeing.mutants}["kink: the gradient below"]
    assert (found.fate, found.check, found.examples) == ("killed", "convention", 0)
    assert " kink\n" in str(seeing)


def test_registered_references_and_conventions_hold_for_check_op(hinge):
    register_strategy(
        hinge, calls_of(3), reference=lambda x: np.maximum(1 - x, 0),
        conventions=[(Call((np.array([1.0]),)), "x", [-1.0])],
    )  # fmt: skip
    with pytest.raises(GradientError, match=r"hinge_of_a_user in x: not what is documented"):
        check_op(hinge)
    register_strategy(hinge, calls_of(3), reference=lambda x: np.maximum(1 - x, 0.6))
    with pytest.raises(GradientError, match="forward disagrees with its reference"):
        check_op(hinge)


# --- The command ----------------------------------------------------------------------------------


def test_the_command_prints_the_table_and_fails_where_one_survives(capsys, monkeypatch):
    assert main(["--op", "relu", "--examples", "10"]) == 0
    printed = capsys.readouterr().out
    assert "× 1.0005" in printed
    assert "\n1 op, " in printed
    entry = entries.entry_for("cos")
    monkeypatch.setitem(entries.registered, "cos", entry._replace(reference=None))
    assert main(["--op", "cos"]) == 1
    assert "SURVIVED: cos: forward × 1.0005, the vjp too" in capsys.readouterr().out


def test_the_command_checks_the_op_itself_first(capsys, hinge):
    assert main(["--op", "exp", "--examples", "5"]) == 0
    assert capsys.readouterr().out.startswith("exp: check_op finds no mistake\n")
    register_strategy(hinge, calls_of(3), reference=lambda x: np.maximum(1 - x, 0.6))
    assert main(["--op", hinge.op.name]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith(f"WRONG: {hinge.op.name}: forward disagrees with its reference\n")
    assert "killed" not in printed


def test_the_command_says_what_is_missing(capsys, hinge, monkeypatch):
    monkeypatch.delitem(entries.registered, hinge.op.name, raising=False)
    with pytest.raises(SystemExit):
        main(["--op", "no_such_op"])
    assert "no op is named no_such_op" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--op", hinge.op.name])
    assert f"no strategy for {hinge.op.name}: call register_strategy in" in capsys.readouterr().err
