"""Gradients as functions: backward, grad, Function, anomaly detection, checks of gradients."""

import typing as _typing

from ..engine import (
    enable_grad as enable_grad,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from . import function as function, functional as functional
from .anomaly import detect_anomaly as detect_anomaly, set_detect_anomaly as set_detect_anomaly
from .function import Function as Function
from .gradcheck import (
    GradcheckError as GradcheckError,
    gradcheck as gradcheck,
    gradgradcheck as gradgradcheck,
)
from .gradients import Variable as Variable, backward as backward, grad as grad

if not _typing.TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
