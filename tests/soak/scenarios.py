"""The table of scenarios. Each is a file of its own beside this one."""

from __future__ import annotations

from . import forks, leaks, threads
from .scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (forks.SCENARIO, leaks.SCENARIO, threads.SCENARIO)
}
