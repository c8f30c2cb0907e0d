"""Goldens of chapter 16: losses of pairs of rewards, and the values, loss and gradients of a tiny value model."""

import torch

from common import gradients
from torch_llama import Config, forward, random_parameters

SEED = 16
PAIRS, POSITIONS, PROMPT = 3, 9, 4
ONE = torch.tensor(1.0, dtype=torch.float64)
KINDS = {"plain": (0.0, 0.0), "margin": (1.0, 0.0), "centred": (0.5, 0.01)}  # of the margins, and centring


class ValueConfig(Config):
    """A body under a head with one row; the bias comes last."""

    def shapes(self):
        return super().shapes()[:-1] + [(1, self.dim)]


CONFIG = ValueConfig(vocabulary=19, dim=11, hidden=13, layers=2, heads=6, kv_heads=3, head_dim=4)


def losses(kind, rewards, margins):
    """rewards (N, 2): chosen, rejected."""
    of_margins, centring = KINDS[kind]
    excess = rewards[:, 0] - rewards[:, 1] - of_margins * margins
    return -torch.nn.functional.logsigmoid(excess) + centring * rewards.sum(-1) ** 2


def make(goldens):
    rewards = goldens.input("rewards", goldens.normal(7, 2, scale=3))
    margins = goldens.input("margins", goldens.normal(7).abs().detach())
    for kind in KINDS:
        value = losses(kind, rewards, margins)
        goldens.output(f"{kind}_losses", value)
        (d_rewards,) = gradients(value.sum(), ONE, rewards)
        goldens.output(f"{kind}_d_rewards", d_rewards)

    body = random_parameters(CONFIG, goldens, scale=0.4).detach()
    flat = goldens.input("parameters", torch.cat([body, torch.tensor([0.25], dtype=torch.float64)]).requires_grad_())
    # Sequences 2 i and 2 i + 1 begin alike; the answers have 2 to 5 tokens, and zeros behind their end.
    tokens = torch.tensor(goldens.random.randint(1, CONFIG.vocabulary, (2 * PAIRS, POSITIONS)))
    tokens[1::2, :PROMPT] = tokens[0::2, :PROMPT]
    lengths = goldens.input("lengths", torch.tensor([2, 5, 5, 3, 4, 5]))
    tokens[torch.arange(POSITIONS) >= PROMPT + lengths[:, None]] = 0
    goldens.input("tokens", tokens)
    values = forward(CONFIG, flat[:-1], tokens)[0][..., 0] + flat[-1]
    goldens.output("values", values)
    d_values = goldens.input("d_values", goldens.normal(*values.shape))
    (d_flat,) = gradients(values, d_values, flat)
    goldens.output("d_parameters", d_flat)

    ends = values.gather(1, PROMPT + lengths[:, None] - 1)
    model_margins = goldens.input("model_margins", torch.tensor([0.0, 1.0, 0.5], dtype=torch.float64))
    loss = losses("margin", ends.reshape(-1, 2), model_margins).mean()
    goldens.output("model_loss", loss.reshape(1))
    (d_flat,) = gradients(loss, ONE, flat)
    goldens.output("model_d_parameters", d_flat[:-1])  # the bias moves no difference
