"""A user's training script: modules, optimizers, data."""

from collections.abc import Iterator
from typing import Any, assert_type

import tinygrad_cnn as torch
import tinygrad_cnn.nn as nn
import tinygrad_cnn.nn.functional as F
import tinygrad_cnn.optim as optim
from tinygrad_cnn import Tensor
from tinygrad_cnn.utils.data import DataLoader, Dataset, IterableDataset, Sampler, TensorDataset

Example = tuple[Tensor, int]


class Digits(Dataset[Example]):
    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Example:
        return torch.zeros(1, 8, 8), index % 10


class Stream(IterableDataset[Tensor]):
    def __iter__(self) -> Iterator[Tensor]:
        yield torch.ones(3)


class Backwards(Sampler[int]):
    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.count - 1, -1, -1))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(4 * 4 * 4, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv(x)))
        y: Tensor = self.fc(torch.flatten(x, 1))
        return y


model = Net()
assert_type(model(torch.zeros(2, 1, 8, 8)), Any)
assert_type(model.conv.weight, Tensor)
assert_type(model.conv.in_channels, int)
state = model.state_dict()
assert_type(state, dict[str, Any])
assert_type(F.conv2d(torch.zeros(1, 1, 3, 3), model.conv.weight), Tensor)
assert_type(F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1])), Tensor)
for name, parameter in model.named_parameters():
    assert_type(name, str)
    assert_type(parameter, nn.Parameter)

optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2)
criterion = nn.CrossEntropyLoss()
loader: DataLoader[Example] = DataLoader(Digits(), batch_size=5, shuffle=True)
for _ in range(1):
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
    scheduler.step()
with torch.no_grad():
    for p in model.parameters():
        p -= 0.1 * p
        p /= 2
        assert_type(p, nn.Parameter)
first = Digits()[0]
assert_type(first, tuple[Tensor, int])
assert_type(TensorDataset(torch.ones(3))[0], tuple[Tensor, ...])
