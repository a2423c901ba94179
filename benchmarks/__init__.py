"""Speed and memory against PyTorch: `python -m benchmarks`. Only ratios of one run mean anything."""
