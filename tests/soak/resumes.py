"""A training that is killed and goes on from its last checkpoint ends with the same bits."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import tinygrad_cnn as tc
from tinygrad_cnn import kernels, nn, optim
from tinygrad_cnn.nn import functional as F

from .children import kill, start
from .scenario import Scenario, Trial

STEPS = 40
EVERY = 2  # steps between two checkpoints
KILLS = 3  # of a training, at most


def train(folder: Path) -> None:
    """In the child: train a small CNN, from the checkpoint in the folder if there is one.

    The content of the file `last.pt` is the state after the last step.
    """
    kernels.use("vectorized")
    tc.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3),
        nn.Flatten(), nn.Linear(36, 3),
    )  # fmt: skip
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.StepLR(optimizer, 7)
    parts, images = (model, optimizer, scheduler), tc.randn(32, 1, 8, 8)
    labels = tc.randint(0, 3, (32,))
    path, done = folder / "run.pt", 0
    if path.exists():
        state = tc.load(path)
        for part, saved in zip(parts, state["parts"], strict=True):
            part.load_state_dict(saved)
        tc.set_rng_state(state["random"])
        done = state["done"]
    for step in range(done + 1, STEPS + 1):
        batch = tc.randperm(32)[:8]
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
        scheduler.step()
        if step % EVERY == 0:
            states = [part.state_dict() for part in parts]
            random_state = tc.get_rng_state()
            tc.save({"done": step, "parts": states, "random": random_state}, path)
    os.replace(path, folder / "last.pt")


def trials(seed: int) -> Iterator[Trial]:
    """Each training is killed up to three times, and then runs to its end."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        last = folder / "last.pt"
        start(int).join()  # the server
        begin = time.perf_counter()
        start(train, folder).join()
        seconds = time.perf_counter() - begin
        wanted = last.read_bytes()
        for _ in count():
            last.unlink()
            killed, left = 0, rng.randint(1, KILLS)
            while left and not last.exists():
                child = start(train, folder)
                child.join(rng.random() * seconds)
                killed += child.is_alive()
                left -= 1
                kill(child)
            if not last.exists():
                start(train, folder).join()
            wrong = ""
            if not last.exists():
                wrong = "it did not go on"
            elif last.read_bytes() != wanted:
                wrong = "other bits at the end"
            if not wrong and os.listdir(folder) != [last.name]:
                wrong = "a stray file"
            yield Trial(wrong, {"kills": killed})


SCENARIO = Scenario("resumes", "a training that is killed and resumed", trials, count=50, short=1)
