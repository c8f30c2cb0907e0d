"""Goldens of chapter 19: losses of pairs of answers by their log-probabilities, and the gradient of a tiny Llama."""

import torch

from common import gradients
from torch_llama import Config, forward, random_parameters

SEED = 19
CONFIG = Config(vocabulary=19, dim=11, hidden=13, layers=2, heads=6, kv_heads=3, head_dim=4)
PAIRS, POSITIONS, PROMPT = 3, 9, 4
NLL_WEIGHT = 0.2
KINDS = {"sigmoid": (0.1, 0.0), "smoothed": (0.5, 0.2), "ipo": (0.3, 0.0)}


def losses(kind, policy, reference):
    """policy and reference (N, 2): chosen, rejected."""
    beta, smoothing = KINDS[kind]
    margin = (policy[:, 0] - reference[:, 0]) - (policy[:, 1] - reference[:, 1])
    if kind == "ipo":
        return (margin - 1 / (2 * beta)) ** 2
    log_sigmoid = torch.nn.functional.logsigmoid
    return -(1 - smoothing) * log_sigmoid(beta * margin) - smoothing * log_sigmoid(-beta * margin)


def make(goldens):
    policy = goldens.input("policy", goldens.normal(7, 2, scale=20))
    reference = goldens.input("reference", goldens.normal(7, 2, scale=20))
    for kind in KINDS:
        value = losses(kind, policy, reference)
        goldens.output(f"{kind}_losses", value)
        (d_policy,) = gradients(value.sum(), torch.tensor(1.0, dtype=torch.float64), policy)
        goldens.output(f"{kind}_d_policy", d_policy)

    # Sequences 2 i and 2 i + 1 begin alike; the answers have 2 to 5 tokens, and zeros behind their end.
    flat = goldens.input("parameters", random_parameters(CONFIG, goldens, scale=0.4))
    tokens = torch.tensor(goldens.random.randint(1, CONFIG.vocabulary, (2 * PAIRS, POSITIONS + 1)))
    tokens[1::2, :PROMPT] = tokens[0::2, :PROMPT]
    lengths = torch.tensor([2, 5, 5, 3, 4, 5])
    target = torch.arange(1, POSITIONS + 1)
    counts = (target >= PROMPT) & (target < PROMPT + lengths[:, None])
    tokens[:, 1:][(target >= PROMPT) & ~counts] = 0
    goldens.input("tokens", tokens)
    goldens.input("lengths", lengths)
    log_p = forward(CONFIG, flat, tokens[:, :-1])[0].log_softmax(-1)
    sums = (log_p.gather(-1, tokens[:, 1:, None])[..., 0] * counts).sum(-1)
    goldens.output("sums", sums)
    frozen = goldens.input("model_reference", goldens.normal(2 * PAIRS, scale=2) + sums).detach()
    value = losses("sigmoid", sums.reshape(-1, 2), frozen.reshape(-1, 2)).mean()
    goldens.output("model_loss", value.reshape(1))
    (d_flat,) = gradients(value, torch.tensor(1.0, dtype=torch.float64), flat)
    goldens.output("model_d_parameters", d_flat)
    # Llama 3 adds the chosen answers' loss per token.
    value = value - NLL_WEIGHT * (sums[0::2] / lengths[0::2]).mean()
    goldens.output("model_nll_loss", value.reshape(1))
    (d_flat,) = gradients(value, torch.tensor(1.0, dtype=torch.float64), flat)
    goldens.output("model_nll_d_parameters", d_flat)
