"""Goldens of chapter 14: the loss of answers only, over conversations that do not see each other, and its gradient."""

import torch

from common import gradients
from torch_llama import Config, forward, random_parameters

SEED = 14
CONFIG = Config(vocabulary=19, dim=11, hidden=13, layers=2, heads=6, kv_heads=3, head_dim=4)
END = 2
LENGTHS = [(3, 2), (1, 5), (4, 0), (5, 3)]  # tokens of each prompt, and of its answer


def make(goldens):
    flat = goldens.input("parameters", random_parameters(CONFIG, goldens, scale=0.4))
    lengths = goldens.input("lengths", torch.tensor(LENGTHS))
    tokens = goldens.input("tokens", torch.tensor(goldens.random.randint(3, CONFIG.vocabulary, int(lengths.sum()))))
    logits, labels, at = [], [], 0
    for prompt, answer in LENGTHS:
        # Each conversation by itself, the end behind it: labels are shifted here, and the prompt's ignored.
        whole = torch.cat([tokens[at:at + prompt + answer], torch.tensor([END])])
        logits.append(forward(CONFIG, flat, whole[None, :-1])[0][0])
        label = whole[1:].clone()
        label[:prompt - 1] = -100
        labels.append(label)
        at += prompt + answer
    loss = torch.nn.functional.cross_entropy(torch.cat(logits), torch.cat(labels), ignore_index=-100)
    goldens.output("loss", loss.reshape(1))
    (d_flat,) = gradients(loss, torch.tensor(1.0, dtype=torch.float64), flat)
    goldens.output("d_parameters", d_flat)
