"""Writes the files in recorded/: `python -m tests.serialization.record`, with PyTorch 2.13."""

import json
from pathlib import Path

from tests.serialization import objects

FOLDER = Path(__file__).with_name("recorded")
STEPS = 3  # before the state is saved, and after


class Net:
    """A class that only the program which saved it has."""


def main():
    import torch

    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)

    def save(value, name, **how):
        torch.save(value, FOLDER / name, **how)

    for make in (objects.dtypes, objects.layouts, objects.containers, objects.arrays):
        save(make(torch), f"{make.__name__}.pt")
        save(make(torch), f"{make.__name__}.old.pt", _use_new_zipfile_serialization=False)
    save(objects.containers(torch), "containers.protocol4.pt", pickle_protocol=4)
    save(torch.tensor([1.0, -2.5, 3e38], dtype=torch.bfloat16), "bfloat16.pt")
    save(torch.tensor([1.0, -2.5, 3e38], dtype=torch.bfloat16), "bfloat16.old.pt",
         _use_new_zipfile_serialization=False)  # fmt: skip
    save({"x": torch.ones(2, dtype=torch.complex64)}, "complex.pt")
    save(torch.eye(2).to_sparse(), "sparse.pt")
    save(torch.nn.Linear(2, 2), "model.pt")
    save(torch.nn.Linear(2, 2), "model.old.pt", _use_new_zipfile_serialization=False)
    save({"args": Net()}, "object.pt")
    losses = {}
    for name in objects.OPTIMIZERS:
        parts = objects.run(torch, name)
        objects.train(torch, *parts, STEPS)
        save([part.state_dict() for part in parts], f"{name}.pt")
        losses[name] = objects.train(torch, *parts, STEPS)
    (FOLDER / "losses.json").write_text(json.dumps(losses, indent=1) + "\n")


if __name__ == "__main__":
    main()
