"""Hypothesis profiles: `ci`, the same few examples each time, and `nightly`, many and random.

The pytest plugin registers them where `--hypothesis-profile` names one; elsewhere, `register()`.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def register() -> None:
    """Make the profiles known to Hypothesis, in place of others of the same names."""
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
