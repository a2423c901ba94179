"""Small networks of many kinds of layers, and the names of the optimizers."""

import tinygrad_cnn as torch
from tinygrad_cnn import nn

OPTIMIZERS = (
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "NAdam",
    "RAdam",
    "RMSprop",
    "SGD",
)


def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3),
    )  # fmt: skip


class Residual(nn.Module):
    """A block whose input is added, with a parameter that broadcasts."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.block = nn.Sequential(nn.BatchNorm2d(4), nn.GELU(), nn.Conv2d(4, 4, 3, padding=1))
        self.gain = nn.Parameter(torch.ones(4, 1, 1))
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.gain * self.block(x)
        return self.head(x.mean((2, 3)))


def residual():
    torch.manual_seed(0)
    return Residual()


class Recurrent(nn.Module):
    """An LSTM: one op with many parameters."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def recurrent():
    torch.manual_seed(0)
    return Recurrent()


class Attention(nn.Module):
    """A transformer's layer."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.layer(x).mean(1))


def attention():
    torch.manual_seed(0)
    return Attention()


def perceptron():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 3))


ALL = (
    ("convolutional", convolutional, (3, 8, 8)), ("residual", residual, (3, 6, 6)),
    ("recurrent", recurrent, (5, 4)), ("attention", attention, (5, 8)), ("perceptron", perceptron, (5,)),
)  # fmt: skip
