"""The models are PyTorch's, and the recorders run PyTorch: neither is a test to collect."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
if str(HERE) not in sys.path:  # the tests import what stands beside them
    sys.path.insert(0, str(HERE))

collect_ignore_glob = ["models/*", "record*.py"]
