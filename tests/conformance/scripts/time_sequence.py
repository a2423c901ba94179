from __future__ import print_function
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim


class Forecaster(nn.Module):
    """Two LSTM cells on top of each other read a series and go on with their own predictions"""

    def __init__(self, width):
        super(Forecaster, self).__init__()
        self.width = width
        self.cells = nn.ModuleList([nn.LSTMCell(1, width), nn.LSTMCell(width, width)])
        self.readout = nn.Linear(width, 1)

    def start(self, n, like):
        zero = lambda: like.new_zeros(n, self.width)
        return [(zero(), zero()) for _ in self.cells]

    def step(self, x, states):
        for k, cell in enumerate(self.cells):
            states[k] = cell(x, states[k])
            x = states[k][0]
        return self.readout(x)

    def forward(self, series, ahead=0):
        states = self.start(series.size(0), series)
        predictions = [self.step(x, states) for x in series.split(1, dim=1)]
        for _ in range(ahead):
            predictions.append(self.step(predictions[-1], states))
        return torch.cat(predictions, dim=1)


def waves(n, length, period=40.0):
    """Sines with random phases, and a slower one of half the height"""
    phase = np.random.uniform(0, 2 * np.pi, (n, 1))
    t = 2 * np.pi * np.arange(length) / period + phase
    return np.sin(t) + 0.5 * np.sin(0.4 * t)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--max-iter", type=int, default=4)
    parser.add_argument("--line-search", default=None)
    parser.add_argument("--width", type=int, default=8)
    opt = parser.parse_args()

    with open("waves.pt", "wb") as f:
        torch.save(torch.from_numpy(waves(6, 24)), f)
    data = torch.load("waves.pt")
    x, y = data[:4, :-1], data[:4, 1:]
    held_x, held_y = data[4:, :-1], data[4:, 1:]

    model = Forecaster(opt.width).double()
    mse = nn.MSELoss()
    lbfgs = optim.LBFGS(
        model.parameters(), lr=0.8, max_iter=opt.max_iter, history_size=5,
        line_search_fn=opt.line_search,
    )  # fmt: skip
    for step in range(opt.steps):

        def closure():
            lbfgs.zero_grad()
            loss = mse(model(x), y)
            print("loss:", loss.item())
            loss.backward()
            return loss

        first = lbfgs.step(closure)
        with torch.no_grad():
            forecast = model(held_x, ahead=5)
            held = mse(forecast[:, :-5], held_y)
        print("step %d from %.6f held out %.6f" % (step, first.item(), held.item()))
        print("ahead", [round(float(v), 5) for v in forecast.numpy()[0, -3:]])


if __name__ == "__main__":
    main()
