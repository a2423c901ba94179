"""Threads that share a compiled kernel's work without the interpreter.

A multithreaded call is posted on a shared board: the kernel, the common arguments, and one row of
integers per block of work. Any thread that looks takes the next row, calls the kernel with it and
counts it as done. The caller works too, and needs no other thread to finish. A thread that finds no
work looks again for some tenths of a millisecond before it sleeps, because the next kernel mostly
comes by then, and waking a thread takes longer than a small kernel.

The claim is one number that says which call is on the board and how many rows are left. A row is
taken by an atomic exchange of that number, so a late thread cannot take a row of another call.
Nothing on the board changes until every row that was taken is done.

Handing over work takes a few microseconds; Python's queues take 30 to 100.
"""

import os
import sys
import threading
import time
from array import array
from collections import deque
from functools import partial

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

from ...atomic import together
from ..memory import scratch
from ..threads import GONE
from .jit import address, native, part
from .machine import CACHE_LINE_BYTES
from .scalars import INT
from .tuning import SPIN_PAUSES, WAIT_PAUSES

# Places on the board, in integers of 8 bytes. Numbers that different threads write are a cache line
# apart.
LINE_INTEGERS = CACHE_LINE_BYTES // 8
CLAIM, REST, DONE, JOB = 0, 1, LINE_INTEGERS, 2 * LINE_INTEGERS
ENTRY, WIDE, COMMON, ROWS, LENGTH, MEMORY, EACH, COUNT, MEMBERS = range(JOB, JOB + 9)
SIZE = 4 * LINE_INTEGERS
LEFT = (1 << 20) - 1  # the bits of the claim that count the rows left


def _at(builder, board, index):
    address = builder.add(board, builder.mul(index, ir.Constant(INT, 8)))
    return builder.inttoptr(address, INT.as_pointer())


@intrinsic
def _read(context, board, index):
    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_at(builder, *arguments), "acquire", 8)

    return types.int64(board, index), generate


@intrinsic
def _write(context, board, index, value):
    def generate(context, builder, signature, arguments):
        board, index, value = arguments
        builder.store_atomic(value, _at(builder, board, index), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def _add_one(context, board, index):
    def generate(context, builder, signature, arguments):
        place, one = _at(builder, *arguments), ir.Constant(INT, 1)
        return builder.atomic_rmw("add", place, one, "acq_rel")

    return types.int64(board, index), generate


@intrinsic
def _exchange(context, board, index, old, new):
    """Replace the number if it is the old one; whether it was."""

    def generate(context, builder, signature, arguments):
        board, index, old, new = arguments
        place = _at(builder, board, index)
        return builder.extract_value(builder.cmpxchg(place, old, new, "acq_rel", "acquire"), 1)

    return types.boolean(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def _pause(context):
    """Leave the core to its other hardware thread for a moment, where the machine can."""

    def generate(context, builder, signature, arguments):
        machine, hint = builder.module.triple.split("-")[0], ir.IntType(32)
        if machine == "x86_64":
            _call_llvm(builder, "llvm.x86.sse2.pause")
        elif machine in ("aarch64", "arm64"):
            _call_llvm(builder, "llvm.aarch64.hint", ir.Constant(hint, 1))  # yield
        return context.get_dummy_value()

    return types.void(), generate


def _call_llvm(builder, name, *arguments):
    kind = ir.FunctionType(ir.VoidType(), [a.type for a in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic
def _call_entry(context, entry, wide, common, row, memory):
    """Call the function at an address, of float64 if `wide`, else of float32."""

    def generate(context, builder, signature, arguments):
        entry, wide, *integers = arguments
        with builder.if_else(builder.trunc(wide, ir.IntType(1))) as branches:
            for element, branch in zip((ir.DoubleType(), ir.FloatType()), branches, strict=True):
                with branch:
                    kind = ir.FunctionType(ir.IntType(64), [element, INT, INT, INT])
                    function = builder.inttoptr(entry, kind.as_pointer())
                    builder.call(function, [ir.Constant(element, 0.0), *integers])
        return context.get_dummy_value()

    return types.void(entry, wide, common, row, memory), generate


@part
def _work(board, me):
    """Do rows until none is left; whether there was one."""
    some = False
    while True:
        claim = _read(board, CLAIM)
        if claim & LEFT == 0 or me >= _read(board, MEMBERS):
            return some
        if _exchange(board, CLAIM, claim, claim - 1):
            some = True
            row = _read(board, COUNT) - (claim & LEFT)
            _call_entry(
                _read(board, ENTRY), _read(board, WIDE), _read(board, COMMON),
                _read(board, ROWS) + row * _read(board, LENGTH) * 8,
                _read(board, MEMORY) + me * _read(board, EACH),
            )  # fmt: skip
            _add_one(board, DONE)


@native
def wait(board):
    """Wait for some time until all rows are done; whether they are."""
    for _ in range(WAIT_PAUSES):
        if _read(board, DONE) == _read(board, COUNT):
            return True
        _pause()
    return False


@native
def lead(board, entry, wide, common, rows, length, memory, each, count, members):
    """Post a call for the threads below `members`, and do the rows that no other thread does."""
    _write(board, DONE, 0)
    _write(board, ENTRY, entry)
    _write(board, WIDE, wide)
    _write(board, COMMON, common)
    _write(board, ROWS, rows)
    _write(board, LENGTH, length)
    _write(board, MEMORY, memory)
    _write(board, EACH, each)
    _write(board, COUNT, count)
    _write(board, MEMBERS, members)
    _write(board, REST, 0)
    _write(board, CLAIM, (((_read(board, CLAIM) >> 20) + 1) << 20) | count)
    _work(board, 0)


@native
def serve(board, me):
    """Do posted rows, until nothing was posted for some time or the threads are to rest."""
    pauses = 0
    while pauses < SPIN_PAUSES and not _read(board, REST):
        if _work(board, me):
            pauses = 0
        else:
            _pause()
            pauses += 1


class _Helper:
    """A thread that serves a board, and sleeps while there is nothing to do."""

    def __init__(self, board, me):
        self.asleep, self.bell = False, threading.Lock()
        self.ended = False
        self.bell.acquire()
        self.board, self.me = board, me
        name = f"tinygrad_cnn-compiled-{me}"
        threading.Thread(target=self.run, name=name, daemon=True).start()

    def run(self):
        board = address(self.board)
        try:
            while True:
                serve(board, self.me)
                self.asleep = True
                self.bell.acquire()  # a call posted at this moment is done without this thread
        finally:  # by an exception from outside
            self.ended = True

    def ring(self):
        if self.asleep:
            self.asleep = False
            self.bell.release()


class _Team:
    """A board and its threads, for one caller at a time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.board = _board()
        self.helpers = []

    def gather(self, count):
        """Have `count` threads awake, or fewer where no more can be started."""
        for k in range(count):
            if k == len(self.helpers) or self.helpers[k].ended:
                if sys.is_finalizing():
                    return
                try:
                    helper = _Helper(self.board, k + 1)
                except RuntimeError:  # a limit of the system, or the interpreter ends
                    return
                self.helpers[k : k + 1] = [helper]
            self.helpers[k].ring()

    def wait_for(self, board):
        """Wait for the posted call. RuntimeError in a child that was forked meanwhile."""
        while not wait(board):
            if self is not _team:
                raise RuntimeError(GONE)
            time.sleep(0)


def _board():
    memory = np.zeros(SIZE + LINE_INTEGERS, np.int64)
    first = -address(memory) % CACHE_LINE_BYTES // 8
    return memory[first : first + SIZE]


_team = _Team()
_own = threading.local()


def call(kernel, dtype, common, rows, threads=1, nbytes=0, changes=()):
    """Call a kernel with the common integers and those of each row, on `threads` threads, and wait.

    Each thread has `nbytes` of scratch memory. The result of a row must not depend on the thread
    or on the order. If another caller has the threads, this one works alone. The `changes` are made
    together with the call: an interrupt comes before them or after the kernel.
    """
    if len(common) != kernel.common:
        raise TypeError(
            f"{kernel.source.__name__} takes {kernel.common} integers, not {len(common)}"
        )
    entry, zero = kernel.entry(dtype)
    each, memory = -(-nbytes // CACHE_LINE_BYTES) * CACHE_LINE_BYTES, 0
    if nbytes:
        room = scratch("compiled", (threads * each + CACHE_LINE_BYTES,), np.uint8)
        memory = -(-address(room) // CACHE_LINE_BYTES) * CACHE_LINE_BYTES
    integers = [*common]
    for row in rows:
        integers += row
    integers = array("q", integers)
    at, length = integers.buffer_info()[0], len(rows[0])
    first = at + 8 * len(common)
    if len(rows) == 1:
        if changes:
            together([*changes, partial(kernel.dispatcher, zero, at, first, memory)])
        else:
            kernel.dispatcher(zero, at, first, memory)
        return
    team, held = _team, []
    try:
        if threads > 1:
            held.extend(map(team.lock.acquire, (False,)))  # an interrupt finds the lock noted
        alone = True not in held
        if alone:
            if not hasattr(_own, "board"):
                _own.board = _board()
            board = address(_own.board)
        else:
            board = address(team.board)
            team.gather(threads - 1)
        members = 1 if alone else threads
        settle = partial(deque, iter(partial(wait.compiled(), board), True), 0)  # one call of C
        try:
            begin = partial(
                lead.compiled(), board, entry, dtype.itemsize // 8, at, first, length, memory, each,
                len(rows), members,
            )  # fmt: skip
            together([*changes, begin])
            team.wait_for(board)
        finally:  # also if interrupted, even twice: other threads may still write into our memory
            if team is _team:
                settle()
    finally:
        if True in held:
            team.lock.release()


def rest():
    """Have the threads sleep until the next call, because BLAS needs their cores now."""
    if _team.helpers:
        _team.board[REST] = 1


def _after_fork():
    """Threads do not survive a fork."""
    global _team
    _team = _Team()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
