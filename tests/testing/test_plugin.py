"""The pytest plugin, in separate sessions: the mark, the report, the profiles, and its cost."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import testing
from tinygrad_cnn.testing import check_adjoint, check_vjp
from tinygrad_cnn.testing.plugin import MarkError, options_of
from tinygrad_cnn.testing.report import listeners, recording

pytest_plugins = ["pytester"]

HEADER = """
import numpy as np
import pytest
import tinygrad_cnn as tc
from hypothesis import Phase, given, settings, strategies as st
from tinygrad_cnn.testing import check_op, check_second_order, check_vjp, separated_arrays
X = np.array([0.5, -1.5])
"""


@pytest.fixture
def run(pytester):
    """Run a test file with the header above it, and return the result of pytest."""

    def session(source, *options):
        pytester.makepyfile(HEADER + source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return session


# --- The mark -------------------------------------------------------------------------------------

RIGHT = """
@pytest.mark.gradcheck
def test_plain():
    return tc.sin, (X,)

@pytest.mark.gradcheck(second_order=True, directions=5, seed=3)
@pytest.mark.parametrize("n", [1, 2])
def test_with_parameters_and_fixtures(n, tmp_path):
    return lambda x, k: (x * n).tanh() * k, [tc.tensor(X), 3.0]

@pytest.mark.gradcheck(second_order=True)
def test_module():
    return tc.nn.Linear(2, 3).double(), (X,)

@pytest.mark.gradcheck(wrt=0)
class TestMethods:
    def test_method(self):
        return lambda x, y: x * y.detach(), (X, X)

    @pytest.mark.gradcheck(second_order=True)
    @given(x=separated_arrays((2, 3)))
    def test_drawn(self, x):
        return tc.exp, (x,)
"""


def test_right_functions_pass(run):
    run(RIGHT, "--strict-markers", "-W", "error").assert_outcomes(passed=6)


def test_a_failure_is_shown_by_its_message_alone(run):
    result = run(
        """
@pytest.mark.gradcheck
def test_wrong():
    return lambda x: x * x.detach(), (X,)
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"_+ test_wrong _+",
            r"test_wrong in input 0 \(2,\): vjp wrong",
            r"  at index \(1,\): \S+ by the vjp, \S+ by differences",
            r"  along a random direction .*; Taylor slope 1.00 \(2 is right, 1 is wrong\)",
            r"FAILED .*::test_wrong - .*",
        ],
        consecutive=False,
    )
    assert "verify(" not in result.stdout.str()


def test_parameters_of_a_module_are_checked(run):
    result = run(
        """
class Wrong(tc.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = tc.nn.Parameter(tc.tensor(X))

    def forward(self, x):
        return x * self.weight * self.weight.detach()

@pytest.mark.gradcheck
def test_wrong():
    return Wrong(), (X,)
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["Wrong in weight*: vjp wrong"])


def test_a_failure_on_drawn_inputs_shows_them(run):
    result = run(
        """
@pytest.mark.gradcheck(second_order=True)
@settings(phases=[Phase.generate])  # shrinking, which takes seconds, is not the subject
@given(separated_arrays())
def test_wrong(x):
    return lambda x: x * x.detach(), (x,)
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_wrong in input 0 (*): vjp wrong", "*x=array(*"])


def test_second_order_is_an_option(run):
    source = """
from tinygrad_cnn.autograd import Function

class Sine(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0].cos().detach()

@pytest.mark.gradcheck
def test_first():
    return Sine.apply, (X,)

@pytest.mark.gradcheck(second_order=True)
def test_second():
    return Sine.apply, (X,)

@pytest.mark.xfail(raises=AssertionError, strict=True)
@pytest.mark.gradcheck(second_order=True)
def test_expected():
    return Sine.apply, (X,)
"""
    result = run(source)
    result.assert_outcomes(passed=1, failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["the gradient of Sine in input 0 (2,): *wrong"])


@pytest.mark.parametrize(
    ("mark", "returned", "message"),
    [
        ("", "None", "must return (fn, inputs)*a lone x as (x,)*it returned nothing"),
        ("", "tc.sin", "it returned a function"),
        ("", "(tc.sin, X)", "it returned (function, ndarray)"),
        ("", "(X, (X,))", "it returned (ndarray, tuple)"),
        ("", "(tc.sin, (X,), 1)", "it returned (function, tuple, int)"),
        ("(direction=3)", "(tc.sin, (X,))", "takes no direction: its options are wrt=, second_"),
        ("('x')", "(tc.sin, (X,))", "takes no 'x'"),
        ("", "(tc.sin, (3,))", "no input of floating point to differentiate by"),
        ("", "(lambda x: x.detach(), (X,))", "no output requires grad"),
        ("", "(lambda x: 1.0, (X,))", "must return a Tensor, or several, got float"),
    ],
)
def test_what_is_no_gradient_test_says_so(run, mark, returned, message):
    result = run(f"@pytest.mark.gradcheck{mark}\ndef test_it():\n    return {returned}\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{message}*"])


def test_tests_whose_result_nobody_gets_are_refused(run):
    result = run(
        """
import unittest

pytestmark = pytest.mark.gradcheck

class TestOfUnittest(unittest.TestCase):
    def test_method(self):
        return tc.sin, (X,)

async def test_async():
    return tc.sin, (X,)

async def test_async_generator():
    yield tc.sin, (X,)

@given(separated_arrays())
async def test_drawn(x):
    return tc.sin, (x,)

class TestOnClass:
    def test_helper(self):
        pass

    @staticmethod
    def test_static():
        return tc.sin, (X,)

    @classmethod
    def test_class(cls):
        return tc.sin, (X,)
""",
        "-W", "error",
    )  # fmt: skip
    result.assert_outcomes(failed=5, passed=2)
    result.stdout.fnmatch_lines_random(
        [
            "test_method is marked gradcheck but is a method of a unittest.TestCase, *",
            "test_async is marked gradcheck but is an async function: mark a plain *",
            "test_async_generator is marked gradcheck but is an async function: *",
            "test_drawn is marked gradcheck but is an async function: *",
            "test_helper is marked *it returned nothing. The mark is on test_tests*",
        ]
    )


@pytest.mark.parametrize(
    ("mark", "bad"),
    [
        ("directions=0", "directions: 0"),
        ("seed=-1", "seed: -1"),
        ("rtol=2", "rtol: 2"),
        ("wrt='x'", "wrt: 'x'"),
        ("wrt=()", r"wrt: ()"),
        ("second_order=1", "second_order: 1"),
    ],
)
def test_bad_options_are_refused(mark, bad):
    item = SimpleNamespace(
        name="test_it", iter_markers=lambda name: [eval(f"pytest.mark.gradcheck({mark})").mark]
    )
    with pytest.raises(MarkError, match=re.escape(f"has a bad {bad}")):
        options_of(item)


def test_two_failures_of_one_test_are_shown_by_their_messages_alone(run):
    result = run(
        """
@pytest.mark.gradcheck
@given(separated_arrays((2,)), st.booleans())
def test_wrong(x, more):
    return (lambda x: x * x.detach(), (x,), 3) if more else (lambda x: x * x.detach(), (x,))
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines_random(
        ["*test_wrong in input 0 (2,): vjp wrong", "*and must return*"]
    )
    assert "Traceback" not in result.stdout.str()


def test_the_traceback_is_there_on_request(run):
    source = "@pytest.mark.gradcheck\ndef test_it():\n    return lambda x: x * x.detach(), (X,)\n"
    assert "verify(" in run(source, "--full-trace").stdout.str()


def test_skips_and_errors_of_the_function_are_its_own(run):
    result = run(
        """
@pytest.mark.gradcheck
def test_skipped():
    pytest.skip("not today")

@pytest.mark.gradcheck
def test_broken():
    return 1 / 0
"""
    )
    result.assert_outcomes(skipped=1, failed=1)
    result.stdout.fnmatch_lines(["*return 1 / 0*"])


# --- The report -----------------------------------------------------------------------------------

CHECKS = """
@pytest.mark.gradcheck(second_order=True)
def test_marked():
    return lambda x: x.sin(), (X,)

def halved(x):
    return x * x.detach()

def test_ops():
    check_op("tanh")
    check_op("neg")

def test_function():
    check_vjp(tc.exp, X)
    check_second_order(tc.exp, X)

def test_function_again():
    check_vjp(tc.exp, X)

def test_of_the_tester():
    with pytest.raises(AssertionError):
        check_vjp(tc.median, np.zeros(3))

def test_wrong():
    check_vjp(halved, X)
"""


@pytest.mark.parametrize("options", [(), ("-n1",)], ids=["alone", "xdist"])
def test_the_report(run, pytester, options):
    if options:
        pytest.importorskip("xdist")
    result = run(CHECKS, "--gradcheck-report=found.json", *options)
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["gradient checks written to found.json"])
    report = json.loads((pytester.path / "found.json").read_text())
    assert report["format"] == 2
    ops = {name.rpartition(".")[2]: found for name, found in report["ops"].items()}
    assert set(ops) == {"test_marked", "tanh", "neg", "exp", "halved"}
    assert "tinygrad_cnn.ops.elementwise.tanh" in report["ops"]
    assert "test_the_report.halved" in report["ops"]
    for name in ("test_marked", "tanh", "exp"):
        found = ops[name]
        assert found["slope"] == pytest.approx(2, abs=0.1), name
        assert found["second_order_slope"] == pytest.approx(2, abs=0.1), name
        assert 0 <= found["error"] < 1e-6, name
        assert 0 <= found["second_order_error"] < 1e-6, name
        assert found["seconds"] > 0, name
        assert found["verdict"] is None, name
    assert ops["neg"]["slope"] is None  # linear
    assert ops["tanh"]["examples"] > 3
    assert (ops["test_marked"]["examples"], ops["exp"]["examples"]) == (1, 2)
    assert ops["halved"]["verdict"] == "vjp wrong"
    assert ops["halved"]["slope"] == pytest.approx(1, abs=0.1)
    outcomes = {check["test"].split("::")[1]: check["outcome"] for check in report["checks"]}
    assert outcomes.pop("test_wrong") == "failed"
    assert set(outcomes.values()) == {"passed"}
    assert {check["op"] for check in report["checks"]} == {*ops, "median"}  # the tester's own


OUTCOMES = """
@pytest.fixture
def broken():
    return 1 / 0

@pytest.fixture
def broken_later():
    yield
    1 / 0

SINE = lambda x: x.sin(), (X,)
WRONG = lambda x: x * x.detach(), (X,)

@pytest.mark.gradcheck(direction=3)
def test_mark(): return SINE

@pytest.mark.gradcheck
def test_nothing(): pass

@pytest.mark.gradcheck
@pytest.mark.xfail(strict=True)
def test_strict(): return SINE

@pytest.mark.gradcheck
@pytest.mark.xfail(strict=False)
def test_surprise(): return SINE

@pytest.mark.gradcheck
@pytest.mark.xfail
def test_expected(): return WRONG

@pytest.mark.gradcheck
@pytest.mark.skip
def test_skipped(): return SINE

@pytest.mark.gradcheck
def test_setup(broken): return SINE

@pytest.mark.gradcheck
def test_teardown(broken_later): return SINE

@pytest.mark.gradcheck
def test_raises(): return 1 / 0

def test_unmarked(): pass

def twin(module):
    def square(x):
        return x * x
    square.__module__ = module
    return square

def test_twins():
    check_vjp(twin("one"), X)
    check_vjp(twin("two"), X)

def test_zero():
    check_vjp(lambda x: x * 0.0 + 1.0, X)
"""


def test_the_report_has_every_outcome(run, pytester):
    run(OUTCOMES, "--gradcheck-report=found.json")
    report = json.loads((pytester.path / "found.json").read_text())
    found = {c["test"].split("::")[1]: c for c in report["checks"]}
    assert {name: (c["outcome"], c["verdict"]) for name, c in found.items()} == {
        "test_mark": ("failed", "bad mark"),
        "test_nothing": ("failed", "bad mark"),
        "test_strict": ("failed", None),
        "test_surprise": ("xpassed", None),
        "test_expected": ("xfailed", "vjp wrong"),
        "test_skipped": ("skipped", None),
        "test_setup": ("error", None),
        "test_teardown": ("error", None),
        "test_raises": ("failed", "raised ZeroDivisionError"),
        "test_twins": ("passed", None),
        "test_zero": ("passed", None),
    }
    module = "test_the_report_has_every_outcome"
    assert {"one.square", "two.square"} <= set(report["ops"])
    assert f"{module}.test_expected" not in report["ops"]
    zero = report["ops"][f"{module}.test_zero"]
    assert (zero["error"], zero["slope"], zero["zero"]) == (None, None, 3)


def test_a_crash_of_a_worker_leaves_the_report(run, pytester):
    pytest.importorskip("xdist")
    run(
        """
import os

def test_first():
    check_vjp(tc.exp, X)

def test_second():
    check_vjp(tc.sin, X)
    os._exit(1)
""",
        "--gradcheck-report=found.json", "-n1", "--max-worker-restart=0",
    )  # fmt: skip
    report = json.loads((pytester.path / "found.json").read_text())
    found = {c["test"].split("::")[1]: (c["op"], c["outcome"]) for c in report["checks"]}
    assert found == {"test_first": ("exp", "passed"), "test_second": (None, "crashed")}


def test_without_the_option_nobody_listens(pytester):
    pytester.makepyfile(
        """
        def test_it():
            from tinygrad_cnn.testing.report import listeners
            assert listeners == []
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_rounding_of_a_gradient_that_agrees_is_no_slope():
    with recording() as recorder:
        for seed in range(3):
            x = np.random.default_rng(seed).normal(size=(3, 2))
            check_vjp(lambda x: x * (1 / 3) + x.t().sum() * 1e9, x, seed=seed)
        testing.check_op("batch_norm")
    ops = recorder.report()["ops"]
    assert ops[f"{__name__}.<lambda>"]["slope"] is None
    assert ops["tinygrad_cnn.ops.norm.batch_norm"]["second_order_slope"] > 1.8


@pytest.mark.parametrize("file", ["missing/found.json", ".", "", "test_it.py/found.json"])
def test_a_report_that_cannot_be_written_is_said_at_once(pytester, file):
    pytester.makepyfile(test_it="raise AssertionError('nothing is collected')")
    result = pytester.runpytest_inprocess(f"--gradcheck-report={file}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --gradcheck-report: cannot write *"])
    assert len(result.stderr.lines) <= 2
    assert listeners == []


def test_a_folder_that_vanishes_is_a_failure_in_one_line(run, pytester):
    folder = pytester.mkdir("reports")
    source = f"def test_it():\n    import os\n    os.rmdir({str(folder)!r})\n"
    result = run(source, "--gradcheck-report=reports/found.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--gradcheck-report: *No such file*"])


def test_recording_without_pytest():
    before = list(listeners)
    with recording() as recorder:
        check_vjp(tc.sin, np.ones(3))
        check_adjoint(tc.neg, np.ones(3))
        with pytest.raises(TypeError):
            check_vjp(lambda x: 1.0, np.ones(3))
    assert listeners == before
    ops = recorder.report()["ops"]
    unary = "tinygrad_cnn.functions.unary"
    assert ops[f"{unary}.sin"]["examples"] == 1
    assert ops[f"{unary}.neg"]["examples"] == 0
    assert ops[f"{unary}.neg"]["error"] is None
    assert ops[f"{__name__}.<lambda>"]["verdict"] == "raised TypeError"


# --- The profiles ---------------------------------------------------------------------------------

PROFILE = """
from hypothesis import settings
def test_it():
    s = settings()
    print("examples:", s.max_examples, "derandomize:", s.derandomize)
"""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ci", "examples: 20 derandomize: True"),
        ("nightly", "examples: 1000 derandomize: False"),
        ("default", "examples: 100 derandomize: *"),
    ],
)
def test_profiles(pytester, name, shown):
    pytester.makepyfile(PROFILE)
    result = pytester.runpytest_subprocess("-s", f"--hypothesis-profile={name}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*{shown}"])


def test_a_profile_of_the_users_conftest_wins(pytester):
    pytester.makepyfile(PROFILE)
    pytester.makeconftest(
        "from hypothesis import settings\nsettings.register_profile('ci', max_examples=7)"
    )
    result = pytester.runpytest_subprocess("-s", "--hypothesis-profile=ci")
    result.stdout.fnmatch_lines(["*examples: 7 *"])


# --- The cost -------------------------------------------------------------------------------------


def test_nothing_is_imported_until_it_is_used(pytester):
    pytester.makepyfile(
        """
        import sys
        def test_it():
            assert "tinygrad_cnn_pytest" in sys.modules
            heavy = {"numpy", "hypothesis", "tinygrad_cnn"} & set(sys.modules)
            assert not heavy
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_it_can_be_switched_off(pytester):
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess("-p", "no:tinygrad_cnn", "--gradcheck-report=x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    pytester.runpytest_subprocess("-p", "no:tinygrad_cnn").assert_outcomes(passed=1)


def test_its_door_imports_pytest_alone():
    code = (
        "import sys, pytest; before = set(sys.modules); import tinygrad_cnn_pytest; "
        "print(sorted(set(sys.modules) - before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['tinygrad_cnn_pytest']"


def test_a_differentiable_and_allow_unseen(pytester):
    pytester.makepyfile(
        """
        import numpy as np
        import pytest
        from tinygrad_cnn.testing import Differentiable

        def middle_vjp(g, x):
            return g * (np.argsort(np.argsort(x)) == 1)

        MIDDLE = Differentiable(lambda x: np.sort(x)[1], middle_vjp, name="middle")

        @pytest.mark.gradcheck
        def test_right():
            return MIDDLE, (np.arange(3.0),)

        @pytest.mark.gradcheck
        def test_kink():
            return MIDDLE, (np.zeros(3),)

        @pytest.mark.gradcheck(allow_unseen=True, second_order=True)
        def test_kink_that_may_be():
            return MIDDLE, (np.zeros(3),)

        @pytest.mark.gradcheck
        def test_wrong():
            return Differentiable(np.sin, lambda g, x: g), (np.ones(2),)
        """
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*middle*at a kink*", "*sin in input 0 (2,): vjp wrong*"])
