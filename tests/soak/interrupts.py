"""Ctrl-C in a training step must leave no context open and no state half changed."""

from tests.faults.interrupts import count, interrupted

from .faulty_steps import faulty_steps
from .scenario import Scenario

SCENARIO = Scenario(
    "interrupts", "Ctrl-C at a random instruction of a training step",
    lambda seed: faulty_steps(seed, count, interrupted), count=5_000, short=6,
)  # fmt: skip
