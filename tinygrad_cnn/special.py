"""Special functions, by PyTorch's names for them in `torch.special`. Most have a second home.

>>> import tinygrad_cnn as tc
>>> tc.special.expit(tc.tensor([0.0]))
tensor([0.5000])
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from .functions import (
    digamma as digamma,
    erf as erf,
    erfc as erfc,
    erfinv as erfinv,
    expm1 as expm1,
    lgamma,
    log1p as log1p,
    log_softmax as log_softmax,
    logit as logit,
    logsumexp as logsumexp,
    round as round,
    sigmoid,
    softmax as softmax,
    xlogy as xlogy,
)
from .functions.public import alias as _alias

expit = _alias("expit", sigmoid)
gammaln = _alias("gammaln", lgamma)
psi = _alias("psi", digamma)
del lgamma, sigmoid

if not _TYPE_CHECKING:
    from .compat.missing import not_here as _not_here

    _not_here(globals())
