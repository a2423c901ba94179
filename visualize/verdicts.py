"""Results of gradient checks on a graph, from a report of `pytest --gradcheck-report=FILE`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .graph import Graph, Verdict

Report = str | os.PathLike[str] | Mapping[str, Any]
FORMAT = 2  # the version of the report that `tinygrad_cnn.testing` writes


def add_verdicts(graph: Graph, report: Report) -> Graph:
    """Set the verdict of each op's node, and return the graph.

    The report names ops with their modules, a graph does not: a node gets the worst that was found
    for ops and functions of its name.

    Args:
        graph: it is changed.
        report: the path of the report, or its content.

    Raises ValueError if the content is not such a report, OSError if the file cannot be read.

    >>> from .graph import Node
    >>> graph = Graph((Node("op", "exp"),), ())
    >>> found = {"error": 2e-9, "second_order_error": None, "verdict": None}
    >>> add_verdicts(graph, {"format": 2, "ops": {"tinygrad_cnn.ops.exp": found}}).nodes[0].verdict
    Verdict(error=2e-09, failed=None)
    """
    where: str = "the report"
    content: Any = report
    if not isinstance(report, Mapping):
        where = str(Path(report))
        try:
            content = json.loads(Path(report).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{where}: is not JSON: {error}") from None
    try:
        if content["format"] != FORMAT:
            raise ValueError
        verdicts: dict[str, Verdict] = {}
        for path, found in content["ops"].items():
            name = path.rpartition(".")[2]
            verdicts[name] = _worse(_verdict(found), verdicts.get(name))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError(
            f"{where}: is not a report of gradient checks, which pytest --gradcheck-report=FILE "
            "writes"
        ) from None
    for _, node in graph.ops():
        node.verdict = verdicts.get(node.name)
    return graph


def _verdict(found: Mapping[str, Any]) -> Verdict:
    errors = [e for e in (found["error"], found["second_order_error"]) if e is not None]
    return Verdict(max(errors, default=None), found["verdict"])


def _worse(a: Verdict, b: Verdict | None) -> Verdict:
    """The larger error of two verdicts, and the failure of one if there is one."""
    if b is None:
        return a
    errors = [e for e in (a.error, b.error) if e is not None]
    return Verdict(max(errors, default=None), a.failed or b.failed)
