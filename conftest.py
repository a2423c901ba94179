"""The kernels in Numba are collected, for their doctests, where that is installed."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("numba") else ["tinygrad_cnn/kernels/compiled"]


def pytest_terminal_summary(terminalreporter):
    """Say which set of kernels ran: in the end, for what is printed first is not, with `-q`."""
    from tinygrad_cnn import kernels

    terminalreporter.write_line(f"kernels: {kernels.current()}")
