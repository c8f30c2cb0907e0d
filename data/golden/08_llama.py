"""Goldens of chapter 08: logits, residual stream, gradients and greedy tokens of two tiny Llamas."""

import torch

from torch_llama import Config, forward, mean_loss, random_parameters

SEED = 8

# Odd widths, heads that together are wider than the model, and both kinds of embedding.
CONFIGS = {
    "untied": Config(vocabulary=19, dim=11, hidden=13, layers=2, heads=6, kv_heads=3, head_dim=4, theta=500000.0),
    "tied": Config(vocabulary=23, dim=12, hidden=20, layers=3, heads=4, kv_heads=1, head_dim=6, tied=True),
}


def make(goldens):
    for name, c in CONFIGS.items():
        flat = goldens.input(f"{name}_parameters", random_parameters(c, goldens, scale=0.4))
        tokens = goldens.input(f"{name}_tokens", torch.tensor(goldens.random.randint(0, c.vocabulary, (2, 9))))
        logits, hidden = forward(c, flat, tokens)
        goldens.output(f"{name}_logits", logits)
        for i, x in enumerate(hidden):
            goldens.output(f"{name}_hidden_{i}", x)
        loss = mean_loss(c, flat, tokens)
        goldens.output(f"{name}_loss", loss.reshape(1))
        (d_flat,) = torch.autograd.grad(loss, flat)
        goldens.output(f"{name}_d_parameters", d_flat)

        # 64 greedy tokens after a prompt of three; the margin tells how far rounding is from changing one.
        text, margin = tokens[:1, :3], float("inf")
        for _ in range(64):
            last = forward(c, flat, text)[0][0, -1].topk(2)
            margin = min(margin, (last.values[0] - last.values[1]).item())
            text = torch.cat([text, last.indices[:1].reshape(1, 1)], dim=1)
        if margin < 1e-3:
            raise ValueError(f"{name}: the greedy choice is too close, {margin}; take another seed")
        goldens.output(f"{name}_greedy", text[0, 3:])
