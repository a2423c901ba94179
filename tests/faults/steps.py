"""Small training steps, and what must hold after an exception at any place in one of them."""

import functools
from copy import deepcopy

import numpy as np

import tinygrad_cnn as tc
import tinygrad_cnn.nn as nn
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import engine, random
from tinygrad_cnn.engine.modes import special
from tinygrad_cnn.kernels import threads
from tinygrad_cnn.utils.checkpoint import checkpoint


def contexts():
    """All modes and contexts that a step may change for a while, as a value to compare."""
    blas = threads.openblas()
    return {
        "recording": tc.is_grad_enabled(),
        "threads that do not record": dict(special),
        "observers": list(engine.observers),
        "NumPy's errors": np.geterr(),
        "threads of BLAS": (blas and blas[0](), tc.get_num_threads(), list(threads.hold.counts)),
        "autocast": (tc.is_autocast_enabled("cpu"), tc.get_autocast_dtype("cpu")),
        "generator of the thread": random._thread.generator,
    }


class Net(nn.Module):
    """A convolution, batch normalisation, dropout, a checkpoint and a recurrent layer."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)
        self.rnn, self.out = nn.GRU(2, 2, batch_first=True), nn.Linear(2, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        x = checkpoint(lambda x: F.dropout(x * x, 0.1), x, use_reentrant=False)
        x, _ = self.rnn(x.flatten(2).transpose(1, 2))
        return self.out(x[:, -1])


class Dense(nn.Module):
    """Two linear layers with a softmax, an in-place operation and a layer norm."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(36, 4), nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x):
        x = self.norm(self.first(x.flatten(1)))
        x += 1
        return self.last(F.softmax(x, 1) * x)


OPTIMIZERS = {
    "SGD": lambda ps: tc.optim.SGD(ps, 0.1, momentum=0.9, dampening=0.5, nesterov=False),
    "Adam": lambda ps: tc.optim.Adam(ps, 0.1, weight_decay=0.1, amsgrad=True),
    "NAdam": lambda ps: tc.optim.NAdam(ps, 0.1, decoupled_weight_decay=True, weight_decay=0.1),
    "Adagrad": lambda ps: tc.optim.Adagrad(ps, 0.1, lr_decay=0.1),
    "RMSprop": lambda ps: tc.optim.RMSprop(ps, 0.1, momentum=0.9, centered=True),
    "RAdam": lambda ps: tc.optim.RAdam(ps, 0.1),
    "Adadelta": lambda ps: tc.optim.Adadelta(ps, 0.1),
    "Adamax": lambda ps: tc.optim.Adamax(ps, 0.1),
}
NETS = {"Net": Net, "Dense": Dense}


class Training:
    """A model, an optimizer and a schedule, after one step: their state exists."""

    def __init__(self, net, optimizer, seed=0):
        tc.manual_seed(seed)
        self.net, self.name = net, optimizer
        self.model = NETS[net]()
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.schedule = tc.optim.lr_scheduler.StepLR(self.optimizer, 1, 0.5)
        self.average = tc.optim.swa_utils.AveragedModel(self.model)
        rng = np.random.default_rng(seed)
        self.x = tc.tensor(rng.normal(size=(3, 1, 6, 6)).astype(np.float32))
        self.labels = tc.tensor(rng.integers(0, 3, 3))
        self.step()

    def step(self, after=lambda: None):
        """A step of everything. `after` is called after each phase."""
        self.optimizer.zero_grad()
        after()
        with tc.autocast("cpu", enabled=False):
            loss = F.cross_entropy(self.model(self.x), self.labels)
        after()
        loss.backward()
        after()
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.01)
        after()
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.model)
        after()

    def parts(self):
        """The state in parts, each of which must be of one step: name → value."""
        grads = [p.grad for p in self.model.parameters()]
        found = {"gradients": [None if g is None else _bytes(g) for g in grads]}
        for name, p in self.model.named_parameters():
            state = sorted(self.optimizer.state.get(p, {}).items())
            found[name] = [_bytes(p), *[(key, _bytes(value)) for key, value in state]]
        for name, module in self.model.named_modules():
            found[f"buffers of {name}"] = [_bytes(b) for b in module.buffers(recurse=False)]
        attributes = {k: v for k, v in vars(self.schedule).items() if k != "optimizer"}
        rates = [group["lr"] for group in self.optimizer.param_groups]
        found["schedule"] = repr((attributes, rates))
        found["average"] = [_bytes(value) for value in self.average.state_dict().values()]
        return found

    def twin(self):
        """Another training in the same state."""
        other = Training(self.net, self.name)
        for part in ("model", "optimizer", "schedule", "average"):
            getattr(other, part).load_state_dict(deepcopy(getattr(self, part).state_dict()))
        return other


def _bytes(value):
    return value.detach().numpy().tobytes() if isinstance(value, tc.Tensor) else repr(value)


@functools.cache
def allowed(net, optimizer, kernels):
    """The values that a part may have after an exception in the first step: those between phases."""
    training = Training(net, optimizer)
    values = {name: [value] for name, value in training.parts().items()}

    def note():
        for name, value in training.parts().items():
            values[name].append(value)

    training.step(note)
    return values


def wrong_after(fault, net, optimizer, kernels):
    """What is wrong after `fault(step)` ran a step and put an exception into it, in words, or "".

    The step ends before anything is looked at, and then the training goes on.
    """
    known, training = allowed(net, optimizer, kernels), Training(net, optimizer)
    before = contexts()
    fault(training.step)
    now = contexts()
    changed = [name for name in before if now[name] != before[name]]
    if changed:
        return f"not as before: {', '.join(changed)}"
    mixed = [name for name, value in training.parts().items() if value not in known[name]]
    if mixed:
        return f"of two steps: {', '.join(mixed)}"
    twin, state = training.twin(), tc.get_rng_state()
    training.step()
    tc.set_rng_state(state)
    twin.step()
    if training.parts() != twin.parts():
        return "the next step is wrong"
    return ""
