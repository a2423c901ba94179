"""Tools around training: `data` loads samples, `datasets` and `transforms` have images, `checkpoint`
saves memory.
"""

import typing as _typing

from . import data as data

if _typing.TYPE_CHECKING:
    from . import (
        checkpoint as checkpoint,
        datasets as datasets,
        model_zoo as model_zoo,
        transforms as transforms,
    )
else:
    from ..compat.missing import not_here as _not_here

    _not_here(globals(), modules=("checkpoint", "datasets", "model_zoo", "transforms"))
