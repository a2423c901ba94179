"""The rows of the table are well formed."""

from collections.abc import Callable

import pytest

from benchmarks import rows, workloads
from benchmarks.contestants import CONTESTANTS, OURS


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda row: row.name)
def test_rows_are_well_formed(row):
    assert set(row.rivals) <= set(CONTESTANTS)
    families = {CONTESTANTS[name].family for name in row.rivals} | {""}
    assert set(row.targets) <= families or row.group == "memory"
    assert all(set(target) == set(OURS) for target in row.targets.values())
    assert row.kind == "import" or isinstance(getattr(workloads, row.workload), Callable)


def test_names_of_rows_are_their_own():
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names)
