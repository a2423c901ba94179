"""The models are plain PyTorch code, no tests: pytest leaves them alone."""

collect_ignore_glob = ["models/*"]
