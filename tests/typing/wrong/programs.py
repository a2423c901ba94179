"""Mistakes that a checker must report, each on the line that ends with `# wrong`."""

import tinygrad_cnn as torch
import tinygrad_cnn.nn as nn
import tinygrad_cnn.nn.functional as F
import tinygrad_cnn.optim as optim
from tinygrad_cnn.utils.data import DataLoader, Dataset

x = torch.ones(2, 3)
model = nn.Linear(3, 1)

torch.relu(1, 2, 3, banana=4)  # wrong
torch.exp(2.0)  # wrong
torch.exp(x, x)  # wrong
torch.zeros("a")  # wrong
torch.cat(x)  # wrong
torch.matmul(x, 2.0)  # wrong
torch.sum(x, axes=0)  # wrong
torch.where(1.0, x, x)  # wrong
torch.max(x, "a")  # wrong
torch.manual_seed("a")  # wrong
x.reshape("a")  # wrong
x.exp(out=x)  # wrong
x.sum(dim="a")  # wrong
x.clamp_(low=0)  # wrong
x.nothing  # wrong
torch.nothing  # wrong
torch.nothing(x)  # wrong
torch.nn.nothing  # wrong
F.nothing(x)  # wrong
optim.nothing  # wrong
torch.zeros(2, size=3)  # wrong
torch.add(x, x, axis=1)  # wrong
torch.no_grad(3)  # wrong
x.sum(0, True, torch.float32)  # wrong
x.backward(retain=True)  # wrong
x + "a"  # wrong
x["a"]  # wrong
x[0] = "a"  # wrong
x[0] = None  # wrong
x[0] = object()  # wrong
x.split([1.5])  # wrong
torch.where(1, 1.0, 0.0)  # wrong
torch.pow(2, 3)  # wrong
torch.bitwise_and(1, 2)  # wrong
torch.unique(x, return_counts=True).sum()  # wrong
x.exp_(3)  # wrong
x.tolist().nothing  # wrong
torch.op(3)  # wrong
torch.op(elementwize=True)  # wrong
F.relu(1)  # wrong
F.conv2d(x)  # wrong
F.cross_entropy(x, [0, 1])  # wrong
nn.Linear(3)  # wrong
nn.Conv2d(1, 2, 3, paddings=1)  # wrong
nn.Dropout("a")  # wrong
optim.SGD(model.parameters(), learning_rate=1)  # wrong
optim.Adam(model.parameters(), betas=0.9)  # wrong
optim.lr_scheduler.StepLR(model, 1)  # wrong
DataLoader(3)  # wrong
torch.autograd.grad(x)  # wrong
model.load_state_dict([1])  # wrong


class Words(Dataset[str]):
    def __getitem__(self, index: int) -> int:  # wrong
        return index


@torch.no_grad()
def length(text: str) -> int:
    return len(text)


length(3)  # wrong
