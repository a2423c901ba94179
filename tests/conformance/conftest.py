"""The models and scripts are plain PyTorch code without tests: pytest does not collect them."""

collect_ignore_glob = ["models/*", "scripts/*"]
