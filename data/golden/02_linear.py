"""Goldens of chapter 02: the linear layer, the embedding, and their gradients."""

import torch

from common import gradients

SEED = 2


def make(goldens):
    for name, (N, K, M) in {"small": (3, 5, 4), "odd": (17, 33, 65)}.items():
        x = goldens.input(f"{name}_x", goldens.normal(N, K))
        weight = goldens.input(f"{name}_weight", goldens.normal(M, K))
        y = torch.nn.functional.linear(x, weight)
        goldens.output(f"{name}_y", y)
        d_x, d_weight = gradients(y, goldens.input(f"{name}_d_y", goldens.normal(N, M)), x, weight)
        goldens.output(f"{name}_d_x", d_x)
        goldens.output(f"{name}_d_weight", d_weight)

    table = goldens.input("table", goldens.normal(6, 5))
    tokens = goldens.input("tokens", torch.tensor([4, 0, 4, 5, 1, 4]))
    out = torch.nn.functional.embedding(tokens, table)
    goldens.output("embedded", out)
    (d_table,) = gradients(out, goldens.input("d_embedded", goldens.normal(6, 5)), table)
    goldens.output("d_table", d_table)
