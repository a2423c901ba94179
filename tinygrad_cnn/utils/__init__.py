"""Tools around training: `data` loads samples, `datasets` and `transforms` have images, `checkpoint`
saves memory.
"""

import typing as _typing

from . import checkpoint as checkpoint, data as data, transforms as transforms

if _typing.TYPE_CHECKING:
    from . import datasets as datasets, model_zoo as model_zoo
else:
    from ..compat.missing import not_here as _not_here

    _not_here(globals(), modules=("datasets", "model_zoo"))
