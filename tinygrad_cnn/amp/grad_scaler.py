"""`torch.amp.GradScaler`: scales a loss, so that small gradients do not vanish in float16."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from ..atomic import quiet, together
from ..engine import Recorded, mark_written, wrap


def _accessors(name: str) -> tuple[Any, Any]:
    def get(self: Any) -> Any:
        return getattr(self, name)

    def set(self: Any, new: Any) -> None:
        setattr(self, name, new)

    get.__doc__, set.__doc__ = f"The setting {name[1:]}.", f"Set {name[1:]}."
    return get, set


class GradScaler:
    """Multiplies a loss by a scale s, divides the gradients by s, and adapts s (Micikevicius 2018, 3.2).

    `scale(loss).backward()`, `step(optimizer)`, `update()`. A step whose gradients are not all finite is
    skipped, and `update` multiplies s by `backoff_factor`; after `growth_interval` steps without such
    it multiplies s by `growth_factor`. For "cuda" it is off, and warns: there is no GPU. Off, `step`
    calls `optimizer.step` and the rest does nothing.

    >>> p = tc.nn.Parameter(tc.tensor([3.0]))
    >>> optimizer, scaler = tc.optim.SGD([p], lr=0.5), tc.amp.GradScaler("cpu")
    >>> scaler.scale((p * p).sum()).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> p, scaler.get_scale()
    (Parameter containing:
    tensor([0.], requires_grad=True), 65536.0)
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ):  # fmt: skip
        self._enabled = enabled and device != "cuda"
        if enabled and not self._enabled:
            says = "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling."
            warnings.warn(says, stacklevel=2)
        if self._enabled and not growth_factor > 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if self._enabled and not backoff_factor < 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0  # steps since the scale changed or a step was skipped
        self._scale: Any = None  # a float32, from the first `scale` on
        self._stages: dict[int, str] = {}  # by the id of the optimizer: "unscaled" or "stepped"
        self._overflows: dict[int, bool] = {}

    # --- A step ---------------------------------------------------------------------------------

    def scale(self, outputs: Any) -> Any:
        """The Tensor, or each Tensor of an iterable, times the scale."""
        if not self._enabled:
            return outputs
        if self._scale is None:
            self._scale = np.float32(self._init_scale)
        return _times(outputs, wrap(np.array(self._scale)))

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of the parameters of `optimizer` by the scale, to clip them.

        RuntimeError if that is done already, ValueError for gradients of float16.
        """
        if not self._enabled:
            return
        self._started("unscale_")
        stage = self._stages.get(id(optimizer))
        if stage == "unscaled":
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if stage == "stepped":
            raise RuntimeError("unscale_() is being called after step().")
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        grads = [p.grad for p in parameters if p.grad is not None]
        if any(grad._array.dtype == np.float16 for grad in grads):
            raise ValueError("Attempting to unscale FP16 gradients.")
        factor, key = np.array(1.0 / np.float64(self._scale), np.float32), id(optimizer)
        changes = [partial(self._stages.__setitem__, key, "unscaled")]
        if grads:
            finite = [bool(np.isfinite(grad._array).all()) for grad in grads]
            changes.append(partial(self._overflows.__setitem__, key, not all(finite)))
        for grad in grads:
            mark_written(grad._array)
            changes.append(partial(np.multiply, grad._array, factor, grad._array))
        with quiet():
            together(changes)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Call `optimizer.step` if all gradients are finite; its result, else None."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._started("step")
        stage = self._stages.get(id(optimizer))
        if stage == "stepped":
            raise RuntimeError("step() has already been called since the last update().")
        if stage is None:
            self.unscale_(optimizer)
        if id(optimizer) not in self._overflows:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        overflow = self._overflows[id(optimizer)]
        result = None if overflow else optimizer.step(*args, **kwargs)
        self._stages[id(optimizer)] = "stepped"
        return result

    def update(self, new_scale: Any = None) -> None:
        """Adapt the scale, or set it to `new_scale`, and begin the next step."""
        if not self._enabled:
            return
        self._started("update")
        scale, tracker = self._scale, self._growth_tracker
        if new_scale is not None:
            scale = _one_number(new_scale)
        elif not self._overflows:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._overflows.values()):
            scale, tracker = scale * np.float32(self._backoff_factor), 0
        else:
            tracker += 1
            if tracker == self._growth_interval:
                with quiet():
                    grown = np.float32(scale * np.float32(self._growth_factor))
                scale, tracker = grown if np.isfinite(grown) else scale, 0
        vars(self).update(_scale=scale, _growth_tracker=tracker, _stages={}, _overflows={})

    def _started(self, name: str) -> None:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {name} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )

    # --- Settings and state ---------------------------------------------------------------------

    def get_scale(self) -> float:
        """The scale; 1 if off."""
        if not self._enabled:
            return 1.0
        return float(self._init_scale if self._scale is None else self._scale)

    def is_enabled(self) -> bool:
        """Whether it is on."""
        return self._enabled

    get_growth_factor, set_growth_factor = _accessors("_growth_factor")
    get_backoff_factor, set_backoff_factor = _accessors("_backoff_factor")
    get_growth_interval, set_growth_interval = _accessors("_growth_interval")

    def state_dict(self) -> dict[str, Any]:
        """The scale, the settings and the number of steps since the scale changed; empty if off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned. RuntimeError if that is empty."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        for name in self.state_dict():  # all of them are there, before anything changes
            state_dict[name]
        self._init_scale = state_dict["scale"]
        self._scale = None if self._scale is None else np.float32(self._init_scale)
        for name in ("growth_factor", "backoff_factor", "growth_interval"):
            setattr(self, f"_{name}", state_dict[name])
        self._growth_tracker = state_dict["_growth_tracker"]


def _times(outputs: Any, scale: Any) -> Any:
    if isinstance(outputs, Recorded):
        return outputs * scale  # a 0-d Tensor changes no dtype
    if not isinstance(outputs, Iterable):
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")
    scaled = [_times(x, scale) for x in outputs]
    return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else iter(scaled)


def _one_number(new_scale: Any) -> np.float32:
    array = np.asarray(getattr(new_scale, "_array", new_scale))
    if array.size != 1 or array.dtype.kind not in "fiu":
        raise AssertionError(
            "new_scale should be a float or a 1-element torch.FloatTensor with requires_grad=False."
        )
    return np.float32(array.item())
