"""Interrupts at a chosen bytecode instruction: `interrupted(run, k)`.

A trace function counts the instructions that run in the package. At the k-th it makes SIGINT pending,
as Ctrl-C does, and ends the tracing. The interpreter itself then raises KeyboardInterrupt, where it next
looks for signals: in Python 3.11 to 3.13 that is at the start of a function (RESUME), after a call, and at
a jump back. So an interrupt comes exactly where a real one can come, and always at the same place.
"""

import _thread
import signal
import sys
from pathlib import Path

import tinygrad_cnn

PACKAGE = str(Path(tinygrad_cnn.__file__).parent)


def interrupted(run, k, package=PACKAGE):
    """Call `run()`; True if an interrupt at the k-th instruction ended it, False if it has fewer.

    k counts from 1. An interrupt that comes when `run` has just returned counts too.
    """
    left = k

    def last():
        nonlocal left
        left -= 1
        return not left

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job ignores it
    try:
        _traced(run, package, last)
    except KeyboardInterrupt:
        return True
    finally:
        signal.signal(signal.SIGINT, handler)
    return False


def count(run, package=PACKAGE):
    """The number of instructions that `run()` takes in the package."""
    seen = 0

    def note():
        nonlocal seen
        seen += 1

    _traced(run, package, note)
    return seen


def _traced(run, package, each):
    """Call `run()`, and `each()` at every instruction in the package, until that is true: interrupt."""

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(package):
            return None
        if event == "call":  # 3.13 wants f_trace first
            frame.f_trace, frame.f_trace_lines = trace, False
            frame.f_trace_opcodes = True
        if event == "opcode" and each():
            sys.settrace(None)
            # The call by the loop is none of this function's own instructions: no signal is looked
            # for before the function returns.
            for _ in map(_thread.interrupt_main, (signal.SIGINT,)):
                return None
        return trace

    sys._getframe().f_trace_opcodes = True  # before 3.13, instructions are traced only if it is set
    before = sys.gettrace()
    try:
        sys.settrace(trace)
        run()
    finally:
        sys.settrace(before)
