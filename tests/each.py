"""`each`: one test for a rule that holds for many names.

A rule that takes microseconds is checked in a loop: thousands of tests would cost more than they do.
"""

from collections.abc import Callable, Iterable
from typing import Any


def each(names: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """A decorator: a test that applies a rule to each name, or tuple of arguments.

    It fails with every name for which the rule fails.
    """

    def decorate(rule: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            wrong = []
            for name in names:
                try:
                    rule(*name if isinstance(name, tuple) else (name,))
                except AssertionError as error:
                    wrong.append(f"{name}: {error}")
            assert not wrong, "\n".join(wrong)

        test.__name__, test.__doc__, test.__module__ = rule.__name__, rule.__doc__, rule.__module__
        return test

    return decorate
