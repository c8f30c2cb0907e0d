"""Goldens of chapter 04: RoPE with both pairings, and the gradient of its input.

Pairs are turned as complex numbers, so that nothing is shared with the code under test, which multiplies by cosines and
sines.
"""

import torch

from common import gradients

SEED = 4


def rotate(x, positions, theta, interleaved):
    """x: (N, H, D), turned by exp(i * position * theta^(-2i/D)) pair by pair."""
    n, heads, width = x.shape
    pairs = torch.arange(width // 2, dtype=torch.float64)
    angle = positions.double()[:, None] * theta ** (-2 * pairs / width)
    turn = torch.polar(torch.ones_like(angle), angle)[:, None, :]
    if interleaved:
        turned = torch.view_as_complex(x.reshape(n, heads, width // 2, 2)) * turn
        return torch.view_as_real(turned).reshape(n, heads, width)
    first, second = x.split(width // 2, dim=-1)
    turned = torch.complex(first, second) * turn
    return torch.cat([turned.real, turned.imag], dim=-1)


def case(goldens, name, positions, heads, width, theta):
    positions = goldens.input(f"{name}_positions", torch.tensor(positions))
    x = goldens.input(f"{name}_x", goldens.normal(len(positions), heads, width))
    d_y = goldens.input(f"{name}_d_y", goldens.normal(len(positions), heads, width))
    for pairing in ("half_split", "interleaved"):
        y = goldens.output(f"{name}_{pairing}_y", rotate(x, positions, theta, pairing == "interleaved"))
        goldens.output(f"{name}_{pairing}_d_x", gradients(y, d_y, x)[0])


def make(goldens):
    case(goldens, "llama2", positions=[0, 1, 2, 3], heads=3, width=8, theta=10000.0)
    # As after a prompt of 5, then a jump, a step back, and far out; a width that is no multiple of a vector's length.
    case(goldens, "llama3", positions=[5, 6, 100, 7, 131071], heads=2, width=36, theta=500000.0)
