"""Verdicts of gradient checks on a graph: what `pytest --gradcheck-report=FILE` found of each op."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .model import Graph, Verdict


def judged(graph: Graph, report: str | os.PathLike[str] | Mapping[str, Any]) -> Graph:
    """Write the verdict of its op on each node, and return the graph.

    `report` is the file, or what it holds. Raises ValueError for what is no such report, OSError
    where the file cannot be read.

    >>> from .model import Node
    >>> graph = Graph((Node("op", "exp"),), ())
    >>> found = {"error": 2e-9, "second_order_error": None, "verdict": None}
    >>> judged(graph, {"format": 1, "ops": {"exp": found}}).nodes[0].verdict
    Verdict(error=2e-09, failed=None)
    """
    where, known = "the report", report
    if not isinstance(report, Mapping):
        where = str(Path(report))
        try:
            known = json.loads(Path(report).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{where}: is no JSON: {error}") from None
    return _written(graph, where, known)


def _written(graph: Graph, where: str, report: Any) -> Graph:
    try:
        if report["format"] != 1:
            raise ValueError
        found = {
            name: Verdict(
                max((e for e in (op["error"], op["second_order_error"]) if e is not None),
                    default=None),
                op["verdict"],
            )
            for name, op in report["ops"].items()
        }  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError(
            f"{where}: is no report of gradient checks, as pytest --gradcheck-report=FILE writes it"
        ) from None
    for _, node in graph.ops():
        node.verdict = found.get(node.name)
    return graph
