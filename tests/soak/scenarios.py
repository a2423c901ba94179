"""The table of scenarios. Each is a file of its own beside this one."""

from __future__ import annotations

from . import forks, interrupts, kills, leaks, limits, mutations, resumes, threads
from .scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (kills, resumes, mutations, interrupts, limits, forks, threads, leaks)
}
