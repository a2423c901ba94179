"""Faults on purpose, many times: `python -m tests.soak`. See `__main__` for the arguments."""
