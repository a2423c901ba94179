"""Time and memory beside other libraries: `python -m benchmarks`. Only ratios of one run count.

rows.py, scaling.py, micro.py     the workloads and the targets, as data
networks.py, workloads.py         the code that is measured, for any library with PyTorch's API
contestants.py, lenets.py         the libraries; workers.py runs each in its own process
measure.py, extras.py             measuring
checkers.py, peers.py, foreign.py    checkers of gradients, on wrong and right vjps
records.py, table.py, plot.py     the results as data, as text and as figures
"""
