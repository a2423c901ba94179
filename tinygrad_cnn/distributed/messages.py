"""Messages of Tensors from one rank to another."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..engine import mark_written
from ..tensor import Tensor
from .collectives import array
from .groups import ProcessGroup, member
from .work import Message

__all__ = ["irecv", "isend", "recv", "send"]


def _other(
    name: str, group: ProcessGroup, rank: int | None, in_group: int | None, what: str
) -> int:
    """The rank in the group of the other side. ValueError for this rank itself."""
    if (rank is None) == (in_group is None):
        raise ValueError(f"{name}: wanted either {what} or group_{what}")
    found = group.local(rank, name) if rank is not None else int(in_group or 0)
    if found == group.rank():
        kind = {"dst": "destination", "src": "source"}[what]
        raise ValueError(
            f"{name}: Invalid {kind} rank: {kind} rank should not be the same as the rank of the "
            "current process."
        )
    return found


def isend(
    tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0,
    group_dst: int | None = None,
) -> Message:  # fmt: skip
    """Begin to send `tensor` to rank `dst`. Do not change it before `wait()` of the result returns."""
    found, x = member(group), np.ascontiguousarray(array("isend", "tensor", tensor))
    ended = found.transport.send(x, _other("isend", found, dst, group_dst, "dst"), tag)
    return Message(ended, partial(found.transport.wait, what="send"), memory=x)


def irecv(
    tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0,
    group_src: int | None = None,
) -> Message:  # fmt: skip
    """Begin to receive `tensor` from rank `src`; from any rank without one. `wait()` ends it."""
    found, x = member(group), array("irecv", "tensor", tensor)
    source = None
    if src is not None or group_src is not None:
        source = _other("irecv", found, src, group_src, "src")
    direct = x.flags.c_contiguous and x.flags.writeable
    y = x if direct else np.empty(x.shape, x.dtype)

    def last() -> None:
        if not direct:
            x[...] = y
        mark_written(x)

    ended = found.transport.receive(y, source, tag)
    return Message(ended, partial(found.transport.wait, what="recv"), last, y)


def send(
    tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0,
    group_dst: int | None = None,
) -> None:  # fmt: skip
    """Send `tensor` to rank `dst`, which calls `recv` with a Tensor of the same shape and dtype."""
    isend(tensor, dst, group, tag, group_dst).wait()


def recv(
    tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0,
    group_src: int | None = None,
) -> int:  # fmt: skip
    """Receive `tensor` from rank `src`, from any rank without one. Returns the rank of the sender."""
    message = irecv(tensor, src, group, tag, group_src)
    message.wait()
    return member(group).ranks[message.source_rank()]
