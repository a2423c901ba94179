"""Hypothesis profiles: `ci` runs the same few examples each time, `nightly` many random ones.

The pytest plugin registers them when `--hypothesis-profile` names one. Elsewhere call `register()`.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def register() -> None:
    """Register the profiles with Hypothesis. They replace profiles of the same names."""
    for name, derandomize, examples in (("ci", True, 20), ("nightly", False, 1000)):
        settings.register_profile(
            name,
            parent=settings.get_profile("default"),
            derandomize=derandomize,
            deadline=None,
            max_examples=examples,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        )
