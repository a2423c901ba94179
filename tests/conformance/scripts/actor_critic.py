"""Advantage actor-critic with a Gaussian policy: steer a point to the origin."""

import argparse

import numpy as np
import torch as th
import torch.nn as nn
from torch.distributions import Normal
from torch.distributions.kl import kl_divergence


def started(layer, std=np.sqrt(2), bias_const=0.0):
    th.nn.init.orthogonal_(layer.weight, std)
    th.nn.init.constant_(layer.bias, bias_const)
    return layer


class PointEnv:
    """n points in the plane; an action moves each of them, the reward is minus its distance"""

    def __init__(self, n, horizon=8):
        self.n, self.horizon = n, horizon

    def reset(self):
        self.t = 0
        angle = 2 * np.pi * np.arange(self.n) / self.n
        self.position = np.stack([np.cos(angle), np.sin(angle)], 1)
        return self.position.copy()

    def step(self, action):
        self.t += 1
        self.position += 0.3 * np.clip(action, -1, 1)
        reward = -np.sqrt((self.position**2).sum(1))
        return self.position.copy(), reward, self.t >= self.horizon


class Agent(nn.Module):
    def __init__(self, obs=2, act=2):
        super().__init__()
        self.critic = nn.Sequential(
            started(nn.Linear(obs, 16)), nn.Tanh(),
            started(nn.Linear(16, 1), std=1.0),
        )  # fmt: skip
        self.actor_mean = nn.Sequential(
            started(nn.Linear(obs, 16)), nn.Tanh(),
            started(nn.Linear(16, act), std=0.01),
        )  # fmt: skip
        self.actor_logstd = nn.Parameter(th.zeros(1, act))

    def get_value(self, x):
        return self.critic(x)

    def distribution(self, x):
        action_mean = self.actor_mean(x)
        action_std = th.exp(self.actor_logstd.expand_as(action_mean))
        return Normal(action_mean, action_std)

    def act(self, x, action=None):
        probs = self.distribution(x)
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action).sum(1), probs.entropy().sum(1), self.critic(x)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--updates", type=int, default=4)
    p.add_argument("--envs", type=int, default=8)
    p.add_argument("--gamma", type=float, default=0.95)
    p.add_argument("--gae-lambda", type=float, default=0.9)
    p.add_argument("--ent-coef", type=float, default=0.001)
    p.add_argument("--vf-coef", type=float, default=0.5)
    p.add_argument("--max-grad-norm", type=float, default=0.5)
    args = p.parse_args()
    device = th.device("cuda" if th.cuda.is_available() else "cpu")
    dtype = th.get_default_dtype()

    env, agent = PointEnv(args.envs), Agent().to(device)
    optimizer = th.optim.Adam(agent.parameters(), lr=0.02, eps=1e-5)
    for update in range(1, args.updates + 1):
        frac = 1.0 - (update - 1.0) / args.updates
        optimizer.param_groups[0]["lr"] = frac * 0.02
        obs, actions, logprobs, rewards, values = [], [], [], [], []
        state, done = th.tensor(env.reset(), dtype=dtype).to(device), False
        while not done:
            with th.no_grad():
                action, logprob, _, value = agent.act(state)
            obs.append(state)
            actions.append(action)
            logprobs.append(logprob)
            values.append(value.flatten())
            state, reward, done = env.step(action.cpu().numpy())
            state = th.tensor(state, dtype=dtype).to(device)
            rewards.append(th.tensor(reward, dtype=dtype).to(device).view(-1))
        obs, actions, logprobs = th.stack(obs), th.stack(actions), th.stack(logprobs)
        rewards, values = th.stack(rewards), th.stack(values)

        # bootstrap value if not done
        with th.no_grad():
            next_value = agent.get_value(state).reshape(1, -1)
            advantages = th.zeros_like(rewards).to(device)
            lastgaelam = 0
            for t in reversed(range(len(rewards))):
                nextvalues = next_value if t == len(rewards) - 1 else values[t + 1]
                delta = rewards[t] + args.gamma * nextvalues - values[t]
                advantages[t] = lastgaelam = delta + args.gamma * args.gae_lambda * lastgaelam
            returns = advantages + values

        b_obs, b_actions = obs.reshape(-1, 2), actions.reshape(-1, 2)
        b_advantages, b_returns = advantages.reshape(-1), returns.reshape(-1)
        with th.no_grad():
            old = agent.distribution(b_obs)
            old = Normal(old.loc, old.scale)
        b_inds = th.randperm(len(b_obs))
        for mb_inds in b_inds.chunk(2):
            _, newlogprob, entropy, newvalue = agent.act(b_obs[mb_inds], b_actions[mb_inds])
            ratio = (newlogprob - logprobs.reshape(-1)[mb_inds]).exp()
            mb = b_advantages[mb_inds]
            mb = (mb - mb.mean()) / (mb.std() + 1e-8)
            pg_loss = th.max(-mb * ratio, -mb * th.clamp(ratio, 0.8, 1.2)).mean()
            v_loss = 0.5 * ((newvalue.view(-1) - b_returns[mb_inds]) ** 2).mean()
            loss = pg_loss - args.ent_coef * entropy.mean() + v_loss * args.vf_coef
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
            optimizer.step()
        with th.no_grad():
            kl = kl_divergence(old, agent.distribution(b_obs)).sum(1).mean()
        print("update %d return %.4f value_loss %.4f entropy %.4f kl %.6f" % (
            update, rewards.sum(0).mean(), v_loss.item(), entropy.mean().item(), kl))  # fmt: skip
    th.save(agent.state_dict(), "agent.pth")


if __name__ == "__main__":
    main()
