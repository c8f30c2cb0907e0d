"""Goldens of chapter 07: SwiGLU's elementwise part, silu(gate) * up, and its gradients."""

import torch

from common import gradients

SEED = 7


def case(goldens, name, gate, up):
    goldens.input(f"{name}_gate", gate)
    goldens.input(f"{name}_up", up)
    out = goldens.output(f"{name}_out", torch.nn.functional.silu(gate) * up)
    d_out = goldens.input(f"{name}_d_out", goldens.normal(*gate.shape))
    d_gate, d_up = gradients(out, d_out, gate, up)
    goldens.output(f"{name}_d_gate", d_gate)
    goldens.output(f"{name}_d_up", d_up)


def make(goldens):
    # 3 rows of 37: no multiple of any vector's length, so the last few entries take the slow path.
    case(goldens, "usual", goldens.normal(3, 37, scale=2), goldens.normal(3, 37))
    # exp(90) is beyond the largest float: the wrong form of silu gives NaN here.
    wide = torch.linspace(-90, 90, 61, dtype=torch.float64).reshape(1, 61).requires_grad_()
    case(goldens, "wide", wide, goldens.normal(1, 61))
