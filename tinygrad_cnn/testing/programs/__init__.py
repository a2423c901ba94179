"""Whole programs over tensors, drawn at random and compared with a naive oracle.

`program` runs a program with any library that has PyTorch's API. `drawn` draws programs: `builder`
builds them statement by statement, and `statements` lists the kinds of statements. `oracle` is the
library that the results are compared with.
"""

from .drawn import graph_programs
from .program import Program

__all__ = ["Program", "graph_programs"]
