"""Where there is no memory, a training step must raise MemoryError, and the training must go on."""

from tests.faults.allocations import count, failing

from .faulty_steps import faulty_steps
from .scenario import Scenario

SCENARIO = Scenario(
    "limits", "a training step in which a random allocation fails",
    lambda seed: faulty_steps(seed, count, failing), count=1_000, short=6,
)  # fmt: skip
