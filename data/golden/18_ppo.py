"""Goldens of chapter 18: rewards, advantages and losses of PPO and GRPO, and the gradient of a tiny Llama.

Advantages are sums over what follows here, not the recursion backwards; masks stand in for ranges of positions.
"""

import torch

from common import gradients
from torch_llama import Config, forward, random_parameters

SEED = 18
CONFIG = Config(vocabulary=19, dim=11, hidden=13, layers=2, heads=6, kv_heads=3, head_dim=4)
POSITIONS = 9
PROMPTS = [3, 3, 1, 5]  # tokens
ANSWERS = [6, 2, 9, 1]  # row 0 leaves one position behind it, row 2 none
BETA, GAMMA, LAMBDA, CLIP, VALUE_CLIP, KL_LOSS = 0.3, 0.9, 0.8, 0.2, 0.5, 0.04


def one():
    return torch.tensor(1.0, dtype=torch.float64)


def advantages(rewards, values, mask):
    """A_t = sum over s >= t of (gamma lambda)^(s - t) delta_s, over what is in the mask."""
    values = values * mask
    following = torch.nn.functional.pad(values, (0, 1))[:, 1:]
    surprise = (rewards + GAMMA * following - values) * mask
    position = torch.arange(POSITIONS)
    distance = (position[:, None] - position[None, :]).clamp(min=0)
    weight = (GAMMA * LAMBDA) ** distance.double() * (position[:, None] >= position[None, :])
    return (surprise @ weight) * mask


def whitened(values, mask, shift_mean, bessel):
    inside = values[mask]
    scaled = (values - inside.mean()) / torch.sqrt(inside.var(unbiased=bessel) + 1e-8)
    return torch.where(mask, scaled if shift_mean else scaled + inside.mean(), torch.zeros_like(values))


def policy_losses(log_p, old, reference, advantage, kl_coefficient):
    ratio = torch.exp(log_p - old)
    clipped = torch.maximum(-advantage * ratio, -advantage * ratio.clamp(1 - CLIP, 1 + CLIP))
    difference = reference - log_p
    return clipped + kl_coefficient * (difference.exp() - difference - 1)


def make(goldens):
    begin, length = torch.tensor(PROMPTS)[:, None] - 1, torch.tensor(ANSWERS)[:, None]
    position = torch.arange(POSITIONS)
    mask = (position >= begin) & (position < begin + length)
    past = (position >= begin) & (position <= begin + length)  # and one behind, where there is room
    shape = mask.shape
    goldens.input("answers", torch.cat([begin, begin + length], 1))
    old = goldens.input("old_log_p", -goldens.normal(*shape).abs())
    reference = goldens.input("reference", old + goldens.normal(*shape, scale=0.3))
    scores = goldens.input("scores", goldens.normal(shape[0]))
    values = goldens.input("values", goldens.normal(*shape))

    for name, span in (("last", mask), ("past", past)):
        rewards = -BETA * (old - reference) * mask
        end = torch.where(span, position, torch.zeros_like(position)).max(1).values
        rewards = rewards + torch.nn.functional.one_hot(end, POSITIONS) * scores[:, None]
        goldens.output(f"{name}_rewards", rewards)
        raw = advantages(rewards, values, span)
        goldens.output(f"{name}_advantages", raw)
        goldens.output(f"{name}_returns", (raw + values) * span)
        for shift_mean in (False, True):
            for bessel in (False, True):
                goldens.output(f"{name}_whitened{'_shifted' * shift_mean}{'_bessel' * bessel}",
                               whitened(raw, mask, shift_mean, bessel))

    advantage = goldens.input("advantages", goldens.normal(*shape))
    log_p = goldens.input("log_p", old + goldens.normal(*shape, scale=0.3)).detach().requires_grad_()
    for name, coefficient in (("clipped", 0.0), ("held", KL_LOSS)):
        loss = policy_losses(log_p, old, reference, advantage, coefficient)[mask].mean()
        goldens.output(f"{name}_loss", loss.reshape(1))
        (slope,) = gradients(loss, one(), log_p)
        goldens.output(f"{name}_d_log_p", slope)

    new_values = goldens.input("new_values", values + goldens.normal(*shape)).detach().requires_grad_()
    returns = goldens.input("returns", goldens.normal(*shape))
    near = torch.clamp(new_values, values - VALUE_CLIP, values + VALUE_CLIP)
    value_loss = 0.5 * torch.maximum((new_values - returns) ** 2, (near - returns) ** 2)[past].mean()
    goldens.output("value_loss", value_loss.reshape(1))
    (slope,) = gradients(value_loss, one(), new_values)
    goldens.output("d_values", slope)

    group = goldens.input("group_scores", goldens.normal(3, 5))
    centred = group - group.mean(1, keepdim=True)
    goldens.output("group_advantages", centred / (group.std(1, keepdim=True) + 1e-4))
    goldens.output("group_advantages_biased", centred / (group.std(1, keepdim=True, unbiased=False) + 1e-4))
    goldens.output("group_advantages_centred", centred)

    # A model: three losses that differ in what they are a mean of.
    flat = goldens.input("parameters", random_parameters(CONFIG, goldens, scale=0.4))
    tokens = goldens.input("tokens", torch.tensor(goldens.random.randint(1, CONFIG.vocabulary, (shape[0], POSITIONS + 1))))
    given = forward(CONFIG, flat, tokens[:, :-1])[0].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
    goldens.output("model_log_p", given * mask)
    model_old = goldens.input("model_old", given.detach() + goldens.normal(*shape, scale=0.3))
    model_reference = goldens.input("model_reference", given.detach() + goldens.normal(*shape, scale=0.3))
    losses = policy_losses(given, model_old, model_reference, advantage, KL_LOSS) * mask
    kinds = {"tokens": losses.sum() / mask.sum(), "answers": (losses.sum(1) / mask.sum(1)).mean(),
             "constant": losses.sum() / (shape[0] * 12)}
    for name, value in kinds.items():
        goldens.output(f"model_{name}_loss", value.reshape(1))
        (d_flat,) = gradients(value, one(), flat)
        goldens.output(f"model_{name}_d_parameters", d_flat)
