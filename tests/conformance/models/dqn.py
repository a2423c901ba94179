"""Q-learning on small images: two heads, a target network that follows, values gathered by action."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F


class Dueling(nn.Module):
    def __init__(self, actions=3):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(2, 6, kernel_size=4, stride=2), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.ReLU()
        )
        self.value = nn.Sequential(nn.Linear(6 * 9, 12), nn.ReLU(), nn.Linear(12, 1))
        self.advantage = nn.Sequential(nn.Linear(6 * 9, 12), nn.ReLU(), nn.Linear(12, actions))

    def forward(self, x):
        x = self.conv(x)
        x = x.reshape(x.size(0), -1)
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(1, keepdim=True)


def frozen_copy(net):
    target = copy.deepcopy(net)
    for p in target.parameters():
        p.requires_grad_(False)
    return target.eval()


def optimize(policy, target, optimizer, state, action, reward, done, following, gamma=0.9, tau=0.1):
    q = policy(state).gather(1, action.unsqueeze(1))
    best = torch.zeros(state.size(0), dtype=reward.dtype)
    going_on = ~done.bool()
    with torch.no_grad():
        choice = policy(following[going_on]).max(1)[1].unsqueeze(1)
        best[going_on] = target(following[going_on]).gather(1, choice).squeeze(1)
    expected = reward + gamma * best
    loss = F.smooth_l1_loss(q, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    for p in policy.parameters():
        p.grad.data.clamp_(-0.05, 0.05)
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), policy.parameters()):
            slow.mul_(1 - tau).add_(fast, alpha=tau)
    return loss, q
