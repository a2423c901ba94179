"""The table of scenarios. Each is a file of its own beside this one."""

from __future__ import annotations

from . import depth, leaks
from .scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (depth.SCENARIO, leaks.SCENARIO)
}
