"""Each scenario of the soak, with a few trials."""

import pytest

from tests.soak.__main__ import main
from tests.soak.scenario import run
from tests.soak.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(name):
    scenario = SCENARIOS[name]
    result = run(scenario, scenario.short)
    assert result.done == scenario.short
    assert not result.wrong, result.row()


def test_the_command(capsys):
    assert main(["--list"]) == 0
    assert all(name in capsys.readouterr().out for name in ["leaks"])
    with pytest.raises(SystemExit):
        main(["no scenario of this name"])
    assert "there are" in capsys.readouterr().err
