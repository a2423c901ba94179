"""The table of scenarios. Each is a file of its own beside this one."""

from __future__ import annotations

from . import (
    depth,
    forks,
    interrupts,
    kills,
    leaks,
    limits,
    mutations,
    resumes,
    threads,
)
from .scenario import Scenario

MODULES = (kills, resumes, mutations, interrupts, limits, forks, threads, depth, leaks)
SCENARIOS: dict[str, Scenario] = {module.SCENARIO.name: module.SCENARIO for module in MODULES}
