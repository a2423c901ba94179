"""The register of strategies: it finds ours by itself, and a user's registration has priority."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import Call, check_op, entries, register_strategy, strategy_for


def run(code):
    """The lines that a new process prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def cube():
    @tc.op
    def cube_of_a_user(x):
        return x * x * x

    cube_of_a_user.defvjp(x=lambda g, x: 3.0 * g * x * x)
    yield cube_of_a_user
    registry.pop("cube_of_a_user", None)
    entries.registered.pop("cube_of_a_user", None)


def test_a_family_is_imported_when_one_of_its_ops_is_first_asked_for():
    printed = run(
        "import sys\n"
        "from tinygrad_cnn import testing\n"
        "home = 'tinygrad_cnn.testing.ours.'\n"
        "ours = lambda: [m.removeprefix(home) for m in sys.modules if m.startswith(home)]\n"
        "print(ours())\n"
        "testing.strategy_for('embedding')\n"
        "print(ours())\n"
    )
    assert printed == ["[]", "['embedding']"]


def test_a_registration_by_the_user_is_not_replaced_by_ours():
    printed = run(
        "import numpy as np\n"
        "from hypothesis import strategies as st\n"
        "from tinygrad_cnn.testing import Call, register_strategy, strategy_for\n"
        "mine = st.just(Call((np.array([1.0]),)))\n"
        "register_strategy('exp', mine)\n"
        "strategy_for('sin')\n"
        "print(strategy_for('exp') is mine)\n"
    )
    assert printed == ["True"]


def test_a_second_registration_replaces_the_first(cube):
    first, second = (st.just(Call((np.array([x]),))) for x in (1.0, 2.0))
    register_strategy(cube, first)
    assert strategy_for("cube_of_a_user") is first
    register_strategy("cube_of_a_user", lambda: second)
    assert strategy_for(cube) is second
    check_op(cube)


def test_names_that_are_no_inputs_are_refused(cube):
    calls = st.just(Call((np.array([1.0]),)))
    kink = [(Call((np.array([0.0]),)), "z", [0.0])]
    for options in ({"constants": ["z"]}, {"linear_in": ["z"]}, {"conventions": kink}):
        with pytest.raises(ValueError, match=r"cube_of_a_user has no input 'z': it has \('x',\)"):
            register_strategy(cube, calls, **options)
    assert entries.entry_for(cube) is None
