"""`torch.amp`: automatic mixed precision. Nothing is computed in a lower precision here."""

import typing as _typing

from .autocast_mode import (
    autocast as autocast,
    custom_bwd as custom_bwd,
    custom_fwd as custom_fwd,
    is_autocast_available as is_autocast_available,
)
from .grad_scaler import GradScaler as GradScaler

if not _typing.TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
