"""LeNet: with ReLU and max pooling, and as it was in 1998 with tanh and averages."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class LeNet(nn.Module):
    def __init__(self, classes=10):
        super(LeNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=5)
        self.conv2 = nn.Conv2d(4, 8, 5)
        self.fc1 = nn.Linear(8 * 5 * 5, 32)
        self.fc2 = nn.Linear(32, classes)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), (2, 2), stride=(2, 2))
        flat = 1
        for n in x.size()[1:]:
            flat *= n
        x = x.view(-1, flat)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


class LeNet1998(nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for inside, outside, pad in [(1, 4, 2), (4, 8, 0)]:
            layers.append(nn.Conv2d(inside, outside, 5, padding=pad))
            layers.append(nn.Tanh())
            layers.append(nn.AvgPool2d(2))
        self.convs = nn.Sequential(*layers)
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(200, 32), nn.Tanh(), nn.Linear(32, 10))

    def forward(self, x):
        logits = self.dense(self.convs(x))
        return logits, torch.softmax(logits, dim=-1)
