"""Kills, interrupts, forks and other faults from outside: the promises of `docs/reliability.md`."""
