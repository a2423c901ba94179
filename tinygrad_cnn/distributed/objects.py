"""Collectives of Python objects, by pickle. All ranks run the same program, and trust each other."""

from __future__ import annotations

import pickle
from typing import Any

from .groups import ProcessGroup, member

__all__ = ["all_gather_object", "broadcast_object_list", "gather_object", "scatter_object_list"]


def _gathered(name: str, found: ProcessGroup, value: Any) -> list[Any]:
    """The values of all ranks."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    parts: list[bytes] = []

    def call() -> None:
        found.transport.agree(name)
        parts.extend(found.transport.gather_objects(data))

    found.run(call)
    return [pickle.loads(part) for part in parts]


def _source(name: str, found: ProcessGroup, rank: int | None, in_group: int | None) -> int:
    if rank is not None and in_group is not None:
        raise ValueError(f"{name}: a rank of the job and one of the group are given: wanted one")
    if in_group is not None:
        return in_group
    return 0 if rank is None else found.local(rank, name)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Write `obj` of rank r into object_list[r], in all ranks."""
    found = member(group)
    if len(object_list) != found.size():
        raise RuntimeError(
            f"all_gather_object: object_list has {len(object_list)} places, the group {found.size()} ranks"
        )
    object_list[:] = _gathered("all_gather_object", found, obj)


def gather_object(
    obj: Any, object_gather_list: list[Any] | None = None, dst: int | None = None, group: Any = None,
    group_dst: int | None = None,
) -> None:  # fmt: skip
    """Write `obj` of rank r into object_gather_list[r] of rank `dst`, 0 without one."""
    found = member(group)
    at_root = _source("gather_object", found, dst, group_dst) == found.rank()
    if at_root and not object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    if not at_root and object_gather_list:
        raise ValueError(
            "Argument ``object_gather_list`` must NOT be specified on non-destination ranks."
        )
    values = _gathered("gather_object", found, obj)
    if object_gather_list is not None and at_root:
        object_gather_list[:] = values


def broadcast_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None,
    group_src: int | None = None,
) -> None:  # fmt: skip
    """Overwrite the objects of the list with those of rank `src`, 0 without one."""
    found = member(group)
    root = _source("broadcast_object_list", found, src, group_src)
    mine = list(object_list) if root == found.rank() else None
    values = _gathered("broadcast_object_list", found, mine)
    object_list[:] = values[root]


def scatter_object_list(
    scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None,
    src: int | None = None, group: Any = None, group_src: int | None = None,
) -> None:  # fmt: skip
    """Write scatter_object_input_list[r] of rank `src` into the first place of the list of rank r."""
    found = member(group)
    if not scatter_object_output_list:
        raise ValueError(
            "Expected argument scatter_object_output_list to be a list of size at least 1."
        )
    root = _source("scatter_object_list", found, src, group_src)
    mine = None
    if root == found.rank():
        mine = scatter_object_input_list
        if mine is None or len(mine) != found.size():
            raise ValueError(
                f"scatter_object_list: wanted a list of {found.size()} objects on the source rank"
            )
    values = _gathered("scatter_object_list", found, mine)
    scatter_object_output_list[0] = values[root][found.rank()]
