"""Goldens of chapter 10: cross entropy, and ten steps of AdamW with clipping and a schedule on a tiny Llama."""

import math

import torch

from common import gradients
from torch_llama import Config, mean_loss, random_parameters

SEED = 10
CONFIG = Config(vocabulary=19, dim=11, hidden=13, layers=2, heads=6, kv_heads=3, head_dim=4)
STEPS, WARMUP, PEAK, FLOOR, CLIP = 10, 3, 0.02, 0.002, 1.0


def learning_rate(step):
    if step < WARMUP:
        return PEAK * step / WARMUP
    return FLOOR + (PEAK - FLOOR) * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2


def make(goldens):
    logits = goldens.input("logits", goldens.normal(5, 7, scale=3))
    targets = goldens.input("targets", torch.tensor([3, -1, 0, 6, 3]))  # -1: no target
    loss = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1, reduction="sum")
    goldens.output("loss_sum", loss.reshape(1))
    (d_logits,) = gradients(loss, torch.tensor(0.25, dtype=torch.float64), logits)
    goldens.output("d_logits_times_quarter", d_logits)

    flat = goldens.input("parameters", random_parameters(CONFIG, goldens, scale=0.4)).detach()
    batches = goldens.input("batches", torch.tensor(goldens.random.randint(0, CONFIG.vocabulary, (STEPS, 4, 9))))
    # As cria groups them: the matrices of the layers and the head decay, norms and embedding do not.
    parts, at, groups = [], 0, {True: [], False: []}
    for index, shape in enumerate(CONFIG.shapes()):
        size = torch.Size(shape).numel()
        part = flat[at:at + size].clone().requires_grad_(True)
        parts.append(part)
        groups[len(shape) == 2 and index > 0].append(part)
        at += size
    optimiser = torch.optim.AdamW([{"params": groups[True], "weight_decay": 0.1}, {"params": groups[False], "weight_decay": 0.0}],
                                  betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        optimiser.zero_grad()
        loss = mean_loss(CONFIG, torch.cat(parts), batches[step])
        loss.backward()
        norm = torch.sqrt(sum((part.grad ** 2).sum() for part in parts))
        for part in parts:
            part.grad *= min(1.0, CLIP / norm.item())
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step + 1)
        optimiser.step()
        losses.append(loss.item())
        norms.append(norm.item())
    goldens.output("losses", torch.tensor(losses, dtype=torch.float64))
    goldens.output("gradient_norms", torch.tensor(norms, dtype=torch.float64))
    goldens.output("trained_parameters", torch.cat(parts))
