# An image classifier that first turns the image: affine_grid and grid_sample
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--n", type=int, default=32)
parser.add_argument("--identity", action="store_true")
parser.add_argument("--padding-mode", default="zeros")
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def arrows(n, size=14):
    """A bar with or without a head, turned by up to 45 degrees"""
    y = torch.arange(n) % 2
    x = torch.zeros(n, 1, size, size)
    x[:, :, 3:11, 6:8] = 1
    x[y == 1, :, 3:5, 4:10] = 1
    angle = (torch.rand(n) - 0.5) * 1.5
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = angle.cos()
    theta[:, 0, 1], theta[:, 1, 0] = -angle.sin(), angle.sin()
    grid = F.affine_grid(theta, x.size(), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False), y


class Net(nn.Module):
    def __init__(self, padding_mode, identity):
        super(Net, self).__init__()
        self.padding_mode = padding_mode
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5)
        self.conv2 = nn.Conv2d(6, 8, kernel_size=3)
        self.drop = nn.Dropout2d(p=0.1)
        self.hidden = nn.Linear(8, 16)
        self.scores = nn.Linear(16, 2)

        self.look = nn.Sequential(
            nn.Conv2d(1, 4, kernel_size=5), nn.MaxPool2d(2, stride=2), nn.ReLU(True)
        )
        self.choose = nn.Sequential(nn.Linear(4 * 5 * 5, 12), nn.ReLU(True), nn.Linear(12, 3 * 2))
        # Start near the identity transformation: there, grid points would lie on pixels, at kinks
        start = [1, 0, 0, 0, 1, 0] if identity else [0.93, 0.02, 0.03, -0.02, 0.94, 0.01]
        self.choose[2].weight.data.zero_()
        self.choose[2].bias.data.copy_(torch.tensor(start, dtype=torch.get_default_dtype()))

    def turned(self, images):
        """Each image, sampled through the affine map that the network chose for it"""
        seen = torch.flatten(self.look(images), 1)
        grid = F.affine_grid(
            self.choose(seen).unflatten(1, (2, 3)), images.size(), align_corners=True
        )
        return F.grid_sample(images, grid, "bilinear", self.padding_mode, True)

    def forward(self, x):
        x = self.turned(x)
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.drop(self.conv2(x)), 3))
        x = x.view(-1, 8)
        x = F.relu(self.hidden(x))
        x = F.dropout(x, 0.1, training=self.training)
        return F.log_softmax(self.scores(x), dim=1)


def main():
    args = parser.parse_args()
    model = Net(args.padding_mode, args.identity).to(device)
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    images, labels = arrows(args.n)
    for epoch in range(1, args.epochs + 1):
        model.train()
        for data, target in zip(images.split(8), labels.split(8)):
            data, target = data.to(device), target.to(device)
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            model.eval()
            output = model(images)
            test_loss = F.nll_loss(output, labels, reduction="mean").item()
            pred = output.max(1, keepdim=True)[1]
            correct = pred.eq(labels.view_as(pred)).sum().item()
            print("Epoch: {} Loss: {:.6f} correct: {}/{} theta {:.5f}".format(
                epoch, test_loss, correct, len(labels), model.turned(images).mean().item()))  # fmt: skip


if __name__ == "__main__":
    main()
