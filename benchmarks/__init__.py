"""Speed and memory against other libraries: `python -m benchmarks`. Only ratios of one run count.

rows.py, scaling.py, micro.py   what is measured, as data; networks.py and works.py: what it does
contestants.py, lenets.py       who takes part; seats.py: a process for each
measure.py, extras.py           measuring; records.py: what came of it; table.py, plot.py: to read
"""
