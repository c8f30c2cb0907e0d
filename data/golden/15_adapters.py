"""Goldens of chapter 15: a linear layer with a change of low rank, its gradients, and the merged weight."""

import torch

from common import gradients

SEED = 15


def make(goldens):
    linear = torch.nn.functional.linear
    for name, (N, K, M, R, scale) in {"small": (3, 5, 4, 2, 2.0), "odd": (17, 33, 65, 3, 0.5)}.items():
        x = goldens.input(f"{name}_x", goldens.normal(N, K))
        weight = goldens.input(f"{name}_weight", goldens.normal(M, K))
        a = goldens.input(f"{name}_a", goldens.normal(R, K))
        b = goldens.input(f"{name}_b", goldens.normal(M, R))
        goldens.input(f"{name}_scale", torch.tensor([scale], dtype=torch.float64))
        y = linear(x, weight) + scale * linear(linear(x, a), b)
        goldens.output(f"{name}_y", y)
        d_x, d_a, d_b = gradients(y, goldens.input(f"{name}_d_y", goldens.normal(N, M)), x, a, b)
        goldens.output(f"{name}_d_x", d_x)
        goldens.output(f"{name}_d_a", d_a)
        goldens.output(f"{name}_d_b", d_b)
        goldens.output(f"{name}_merged", weight + scale * b @ a)
