"""Optimizers, and schedules of their learning rates: the public names of this package."""

import typing as _typing

from . import lr_scheduler as lr_scheduler
from .adam import Adam as Adam, Adamax as Adamax, AdamW as AdamW, NAdam as NAdam, RAdam as RAdam
from .optimizer import Optimizer as Optimizer
from .rmsprop import Adadelta as Adadelta, Adagrad as Adagrad, RMSprop as RMSprop
from .sgd import SGD as SGD

if _typing.TYPE_CHECKING:
    from . import swa_utils as swa_utils
    from .lbfgs import LBFGS as LBFGS
else:
    from ..compat.missing import not_here as _not_here
    from ..naming import own_methods as _own_methods

    _own_methods(globals())
    _not_here(globals(), modules=("swa_utils",), names={"lbfgs": ("LBFGS",)})
