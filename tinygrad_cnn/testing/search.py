"""The search for the smallest call that fails: Hypothesis draws and shrinks, within a bound.

Without a bound, Hypothesis shrinks for minutes where each check is slow. Here, all checks after the
first failure together cost at most what the checks without a failure cost. The cost of a check is
estimated from the sizes of the inputs, not measured, so the same failure shrinks to the same call.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import FailedHealthCheck, Flaky
from hypothesis.strategies import SearchStrategy

from .calls import Call
from .errors import GradientError

ELEMENTS_LIKE_A_CALL = 4096  # a check of so many elements takes twice as long as one of a single

NESTED = (
    "check_op draws calls by itself. Inside of a test with @given, it needs\n"
    "@settings(suppress_health_check=[HealthCheck.nested_given]) at that test; or use check_call\n"
    "on a drawn call, or pytest.mark.parametrize in place of @given."
)


class _Enough(BaseException):
    """Ends the search at its bound. Hypothesis would treat an Exception as one more failure."""


@dataclass
class Failure:
    """A call that failed, and its error."""

    call: Call
    error: GradientError


class Search:
    """The calls that were checked, and the failures among them.

    `check` checks a call, and returns whether it had an element to differentiate by. `is_steady`
    tells whether the gradients of a call are the same each time.
    """

    def __init__(self, name: str, check: Callable[[Call], bool], is_steady: Callable[[Call], bool]):
        self.name, self.check, self.is_steady = name, check, is_steady
        self.drawn = self.checked = 0
        self.cost = 0.0  # until the first failure, and then from there
        self.bound = 0.0
        self.failures: list[Failure] = []

    def run(self, strategy: SearchStrategy[Call]) -> None:
        """Check calls of the strategy. The Hypothesis profile sets their number.

        Raises the GradientError of the smallest failure found.
        """
        __tracebackhide__ = True
        profile = settings()
        how = settings(
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[phase for phase in profile.phases if phase is not Phase.explain],
        )

        def one(call: Call) -> None:
            self.one(call, profile.max_examples)

        one.__name__ = re.sub(r"\W", "_", f"check_op_{self.name}")
        try:
            how(given(strategy)(one))()
            return
        except _Enough:
            error = self.confirmed(min(reversed(self.failures), key=lambda f: cost(f.call)))
        except Flaky:
            if not self.failures:  # the strategy is to blame
                raise
            error = unsteady(self.failures[-1].error)
        except GradientError as found:
            error = self.verified(self.failures[-1].call, found)
        except FailedHealthCheck as problem:
            problem.add_note(NESTED)
            raise
        except KeyboardInterrupt as stop:
            if self.failures:
                stop.add_note(f"The last failure until then:\n{self.failures[-1].error}")
            raise
        error.__notes__ = []  # Hypothesis's report of the call, which the snippet shows too
        raise error.with_traceback(None)

    def one(self, call: Call, examples: int) -> None:
        """Check one call, unless the bound is reached."""
        if self.failures and self.cost > self.bound:
            raise _Enough
        self.drawn += 1
        self.cost += cost(call)
        try:
            self.checked += self.check(call)
        except GradientError as error:
            if not self.failures:
                self.bound, self.cost = self.cost / self.drawn * examples, 0.0
            self.failures.append(Failure(call, error))
            raise

    def confirmed(self, failure: Failure) -> GradientError:
        """The error of a failure, if the call fails once more."""
        try:
            self.check(failure.call)
        except GradientError as error:
            return self.verified(failure.call, error)
        return unsteady(failure.error)

    def verified(self, call: Call, error: GradientError) -> GradientError:
        """The error, if the gradients of the call are the same each time."""
        return error if self.is_steady(call) else unsteady(error)


def unsteady(first: GradientError) -> GradientError:
    """The error for a call that gives other results when it is repeated."""
    error = GradientError(
        "not deterministic",
        f"the same call gave two results when it was repeated; at first: {first.verdict}",
        op=first.op,
        input=first.input,
    )
    error.check, error.call, error.snippet = "same result each time", first.call, first.snippet
    return error


def cost(call: Call) -> float:
    """An estimate of the time that the check of a call takes, in that of the smallest."""
    inputs = getattr(call, "inputs", ())  # a wrong strategy may draw anything
    return 1 + sum(x.size for x in inputs if isinstance(x, np.ndarray)) / ELEMENTS_LIKE_A_CALL
