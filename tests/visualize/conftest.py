"""Fixtures of the tests of pictures."""

import importlib.util
from pathlib import Path

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn, optim


@pytest.fixture(scope="session")
def nets():
    """The models in nets.py."""
    spec = importlib.util.spec_from_file_location("nets", Path(__file__).parent / "nets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def picture(nets):
    """A LeNet with its loss: two constants, five parameters, eight ops."""
    model, x, labels = nets.LeNet(), tc.ones(2, 1, 8, 8), tc.tensor([1, 3])
    loss = F.cross_entropy(model(x), labels)
    return visualize.draw(loss, model, names={"images": x, "labels": labels})


@pytest.fixture
def trained():
    """trained(steps) is a small model after so many steps of SGD, its History and its Film."""

    def train(steps=70):
        tc.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        history, film = visualize.History(), visualize.Film(model)
        x, y = tc.randn(16, 2), tc.randn(16, 1)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            history.step(loss=loss, model=model)
            film.frame(loss=loss)
            optimizer.step()
        return model, history, film

    return train
