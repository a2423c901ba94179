import argparse

import numpy as np
import torch
from torch import nn, optim
from torch.distributions import Categorical

parser = argparse.ArgumentParser(description="Policy gradient on three lamps")
parser.add_argument("--gamma", type=float, default=0.3, help="discount of later rewards")
parser.add_argument("--seed", type=int, default=543, help="negative: none")
parser.add_argument("--episodes", type=int, default=6)
parser.add_argument("--every", type=int, default=2, help="episodes between two reports")
parser.add_argument("--lr", type=float, default=2e-2)


class Signals:
    """One of three lamps is lit, dimly: the reward is 1 for naming it; a mistake dims all lamps"""

    def __init__(self, horizon=12):
        self.horizon = horizon

    def reset(self, seed=None):
        if seed is not None:
            self.rng = np.random.default_rng(seed)
        self.t, self.brightness = 0, 2.0
        return self.light()

    def light(self):
        self.lit = self.rng.integers(3)
        return self.brightness * np.eye(3)[self.lit] + 0.2 * self.rng.standard_normal(3)

    def step(self, action):
        self.t += 1
        right = action == self.lit
        self.brightness = (
            min(2.0, self.brightness + 0.5) if right else max(0.5, self.brightness / 2)
        )
        return self.light(), float(right), self.t >= self.horizon, {}


def make_policy(width=32):
    return nn.Sequential(
        nn.Linear(3, width), nn.Dropout(0.1), nn.ReLU(), nn.Linear(width, 3), nn.Softmax(dim=-1)
    )


def play(env, policy):
    """One episode: the log-probability of each action taken, and its reward"""
    state, over = env.reset(), False
    log_probs, rewards = [], []
    while not over:
        lamps = torch.as_tensor(state, dtype=torch.get_default_dtype())
        choice = Categorical(probs=policy(lamps))
        action = choice.sample()
        log_probs.append(choice.log_prob(action))
        state, reward, over, _ = env.step(action.item())
        rewards.append(reward)
    return torch.stack(log_probs), rewards


def discounted(rewards, gamma):
    """The sum of the rewards from each step on, later ones discounted; then of mean 0, deviation 1"""
    found = torch.zeros(len(rewards))
    later = 0.0
    for t in reversed(range(len(rewards))):
        found[t] = later = rewards[t] + gamma * later
    return (found - found.mean()) / (found.std() + 1e-7)


def main():
    args = parser.parse_args()
    env = Signals()
    if args.seed >= 0:
        torch.manual_seed(args.seed)
    env.reset(seed=args.seed if args.seed >= 0 else np.random.randint(10000))
    policy = make_policy()
    optimizer = optim.Adam(policy.parameters(), lr=args.lr)
    average = 4.0
    for episode in range(1, args.episodes + 1):
        log_probs, rewards = play(env, policy)
        loss = -torch.dot(log_probs, discounted(rewards, args.gamma))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average += 0.05 * (sum(rewards) - average)
        if episode % args.every == 0:
            print(f"episode {episode}: reward {sum(rewards):.2f}, average {average:.2f}")


if __name__ == "__main__":
    main()
