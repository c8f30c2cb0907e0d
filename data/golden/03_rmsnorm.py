"""Goldens of chapter 03: RMSNorm and its gradients. PyTorch 1.13 has no rms_norm, so the formula is written out."""

import torch

from common import gradients

SEED = 3


def case(goldens, name, rows, width, eps, scale):
    x = goldens.input(f"{name}_x", goldens.normal(rows, width, scale=scale))
    weight = goldens.input(f"{name}_weight", goldens.normal(width))
    y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight
    goldens.output(f"{name}_y", y)
    d_y = goldens.input(f"{name}_d_y", goldens.normal(rows, width))
    d_x, d_weight = gradients(y, d_y, x, weight)
    goldens.output(f"{name}_d_x", d_x)
    goldens.output(f"{name}_d_weight", d_weight)


def make(goldens):
    case(goldens, "c7", rows=5, width=7, eps=1e-5, scale=1)
    case(goldens, "c64", rows=3, width=64, eps=1e-5, scale=1)
    case(goldens, "c172", rows=2, width=172, eps=1e-6, scale=3)
    # mean(x²) is about 1e-6 here, so with eps 1e-5 the place of eps decides the result.
    case(goldens, "tiny", rows=3, width=7, eps=1e-5, scale=1e-3)
