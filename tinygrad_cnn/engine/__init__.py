"""The engine: the graph of recorded ops, and the walk back through it. README.md is the tour.

It imports only NumPy and `atomic.py`, and contains no op, no kernel and nothing of PyTorch.
"""

from .gradients import accumulate as accumulate
from .modes import (
    enable_grad as enable_grad,
    grad_mode as grad_mode,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    recording as recording,
    set_grad_enabled as set_grad_enabled,
)
from .nodes import (
    Node as Node,
    Operation as Operation,
    Recorded as Recorded,
    cut as cut,
    leaf as leaf,
    new_node as new_node,
    next_number as next_number,
    provide as provide,
    wrap as wrap,
)
from .observers import (
    Observer as Observer,
    observe as observe,
    observers as observers,
    user_line as user_line,
    watching as watching,
)
from .operation import Op as Op, Recorder as Recorder
from .recorder import (
    call as call,
    define as define,
    op as op,
    registry as registry,
    variant as variant,
)
from .views import (
    note_view as note_view,
    outdate as outdate,
    release as release,
    replay as replay,
    settle as settle,
    share as share,
    steps as steps,
)
from .walk import backward as backward
from .writes import (
    OVERWRITTEN as OVERWRITTEN,
    mark_written as mark_written,
    note_write as note_write,
    owner as owner,
    version as version,
)
