"""The self-test: what it counts, what it prints, and its status."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import GradientError
from tinygrad_cnn.testing.__main__ import main
from tinygrad_cnn.testing.selftest import RIGHT, WRONG, adapter, table

CLEAN = [  # families about which the checks are right, at the seeds of CI
    "several outputs", "layout", "plain", "stateful", "window", "offset", "cancelling", "near a pole",
    "zero gradient", "float16", "range", "kinks by chance", "flat", "iterative",
    "indices", "windows", "matrices", "second derivative", "layouts", "cotangents", "state", "memory",
    "dtypes", "axes", "special values",
]  # fmt: skip


def named(cases, name):
    return next(case for case in cases if case.name == name)


RIGHT_ONE = named(RIGHT, "plain tanh x")
WRONG_ONE = named(WRONG, "plain a @ b: transpose forgotten")


@pytest.fixture
def answers(monkeypatch):
    """Replaces the check by answers: a verdict, or None to pass."""
    given = []

    def check(functions, xs, second):
        verdict = given.pop(0)
        if verdict:
            raise GradientError(verdict)

    monkeypatch.setattr(table, "check", check)
    return given


@pytest.mark.parametrize("family", CLEAN)
def test_families_that_are_clean(family):
    right, wrong = ([c for c in cases if c.family == family] for cases in (RIGHT, WRONG))
    found = table.outcomes(right, [0]), table.outcomes(wrong, [0])
    assert right or wrong
    assert table.lines(found[0]) + table.lines(found[1]) == []
    assert table.clean(*found)


def test_the_guide_has_both_tables():
    """Its families and numbers of functions are those of the self-test, and it names no mistake."""
    guide = (Path(__file__).parents[3] / "docs" / "testing.md").read_text(encoding="utf-8")
    for mark, cases in (("right", RIGHT), ("wrong", WRONG)):
        text = guide.split(f"<!-- self-test: {mark} -->\n\n")[1].split("\n\n")[0]
        rows = [[c.strip() for c in line.strip("| ").split("|")] for line in text.split("\n")][2:]
        counts = Counter(case.family for case in cases)
        assert {row[0]: int(row[1]) for row in rows} == {**counts, "all": len(cases)}
        assert {row[3] for row in rows} == {"·"}


def test_answers_are_counted(answers):
    answers += [None, "vjp wrong", "cannot tell here: 1e-3", "kink crossed: choose a gap"]
    found = table.tried(RIGHT_ONE, range(4))
    assert found.counts == Counter(passed=1, unseen=1, caught=2)
    assert found.verdicts == Counter({"vjp wrong": 1, "cannot tell here": 1, "kink crossed": 1})
    assert found.bad
    assert found.seeds["caught"] == [1, 3]
    assert table.lines([found]) == [
        "ACCUSED: plain, plain tanh x, 2 of 4, first with seed 1: vjp wrong 1; cannot tell here 1"
    ]


def test_a_wrong_vjp_that_passes_is_missed(answers):
    answers += ["vjp wrong", None]
    found = table.tried(WRONG_ONE, range(2))
    assert found.bad
    assert table.lines([found]) == [
        "MISSED: matrices, plain a @ b: transpose forgotten, 1 of 2, first with seed 1: "
        + WRONG_ONE.what
    ]
    assert not table.clean([], [found])


def test_too_many_that_cannot_be_told_are_not_clean(answers):
    answers += ["cannot tell here"] * 6
    found = [table.tried(RIGHT_ONE, [0]) for _ in range(6)]
    assert not any(outcome.bad for outcome in found)
    assert table.clean(found[:5], [])
    assert not table.clean(found, [])


def test_rows_count_checks_and_functions(answers):
    answers += [None, None, "vjp wrong", None]
    found = table.outcomes([RIGHT_ONE, named(RIGHT, "plain x²")], range(2))
    for row in table.rows(found, (table.CAUGHT, table.TOLD_UNSEEN, table.PASSED)):
        assert row[1:6] == ["2", "4", "1 (1)", "·", "3 (2)"]


def test_other_exceptions_are_not_an_answer(monkeypatch):
    def broken(functions, xs, second):
        raise ZeroDivisionError

    monkeypatch.setattr(table, "check", broken)
    with pytest.raises(ZeroDivisionError):
        table.tried(RIGHT_ONE, [0])


def test_the_command(capsys, answers):
    answers += [None] * 5
    assert main(["--self-test", "several outputs", "--seeds", "1"]) == 0
    out = capsys.readouterr().out
    assert "several outputs       5" in out
    assert "5 right functions, 0 wrong vjps, 1 draws" in out
    answers += ["vjp wrong"] * 5
    assert main(["--self-test", "several outputs", "--seeds", "1"]) == 1
    assert "ACCUSED: several outputs, polar coordinates, 1 of 1" in capsys.readouterr().out
    assert main(["--self-test", "no such family"]) == 2


def test_the_adapter_leaves_no_op():
    before = dict(registry)
    adapter.check(RIGHT_ONE.functions(), RIGHT_ONE.draw(np.random.default_rng(0)), True)
    assert dict(registry) == before
    with pytest.raises(GradientError):
        adapter.check(
            WRONG_ONE.functions(), WRONG_ONE.inputs(np.random.default_rng(0)), WRONG_ONE.second
        )
    assert dict(registry) == before


def test_the_adapter_checks_second_derivatives_of_several_outputs():
    wrong = named(WRONG, "polar coordinates: sign in the graph alone")
    xs = wrong.inputs(np.random.default_rng(0))
    adapter.check(wrong.functions(), xs, False)
    with pytest.raises(GradientError, match="second derivative wrong|create_graph"):
        adapter.check(wrong.functions(), xs, True)
