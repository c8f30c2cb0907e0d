"""Goldens of chapter 15: a linear layer with a change of low rank, its gradients, and the merged weight; attention to a
prefix; and a tiny Llama with LLaMA-Adapter."""

import torch

from common import gradients
from torch_llama import Config, Plain, forward, mean_loss, random_parameters

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

    for name, (N, H, G, Dh, P) in {"prefix_small": (3, 2, 1, 4, 3), "prefix_odd": (17, 6, 3, 5, 11)}.items():
        q = goldens.input(f"{name}_q", goldens.normal(N, H, Dh))
        k = goldens.input(f"{name}_k", goldens.normal(P, G, Dh))
        v = goldens.input(f"{name}_v", goldens.normal(P, G, Dh))
        x = goldens.input(f"{name}_x", goldens.normal(H))
        added = attention_to_prefix(q, k, v, x)
        goldens.output(f"{name}_added", added)
        d_out = goldens.input(f"{name}_d_out", goldens.normal(N, H, Dh))
        for part, d in zip("qkvx", gradients(added, d_out, q, k, v, x)):
            goldens.output(f"{name}_d_{part}", d)

    c = Config(vocabulary=19, dim=11, hidden=13, layers=2, heads=6, kv_heads=3, head_dim=4)
    flat = goldens.input("llama_parameters", random_parameters(c, goldens, scale=0.4))
    tokens = goldens.input("llama_tokens", torch.tensor(goldens.random.randint(0, c.vocabulary, (2, 9))))
    for version in 1, 2:
        adapter = Adapter(c, goldens, version)
        goldens.input(f"llama_v{version}_numbers", adapter.flat)
        goldens.output(f"llama_v{version}_logits", forward(c, flat, tokens, adapter)[0])
        (d_flat,) = torch.autograd.grad(mean_loss(c, flat, tokens, adapter), adapter.flat)
        goldens.output(f"llama_v{version}_d_numbers", d_flat)


def attention_to_prefix(q, k, v, x):
    """q (..., H, Dh), k and v (P, G, Dh), x (H): what is added to the heads, (..., H, Dh)."""
    k, v = (t.repeat_interleave(q.shape[-2] // t.shape[1], dim=1) for t in (k, v))
    weights = (torch.einsum("...hd,phd->...hp", q, k) / q.shape[-1] ** 0.5).softmax(-1)
    return torch.tanh(x)[:, None] * torch.einsum("...hp,phd->...hd", weights, v)


class Adapter(Plain):
    """A prefix of 5 vectors in the last layer; of version 2 norms, scales and biases as well. The numbers are one flat
    vector, in the order in which cria has them (chapters/15-adapters/llama_adapter.hpp)."""

    def __init__(self, c, goldens, version):
        self.c, self.prefixed = c, c.layers - 1
        widths = {"q": (c.dim, c.heads * c.head_dim), "k": (c.dim, c.kv_heads * c.head_dim),
                  "v": (c.dim, c.kv_heads * c.head_dim), "o": (c.heads * c.head_dim, c.dim), "gate": (c.dim, c.hidden),
                  "up": (c.dim, c.hidden), "down": (c.hidden, c.dim)}
        shapes = {"prompt": (5, c.dim), "x": (c.heads,)}
        for i in range(c.layers) if version == 2 else ():
            for part in "1", "q", "k", "v", "o", "2", "gate", "up", "down":
                if part in widths:
                    shapes[f"{i}.{part}.scale"], shapes[f"{i}.{part}.bias"] = ((n,) for n in widths[part])
                else:
                    shapes[f"{i}.{part}"] = (c.dim,)
        if version == 2:
            shapes["last"] = (c.dim,)
        values = {name: goldens.normal(*shape, scale=0.5).detach() for name, shape in shapes.items()}
        for name in values:
            if name not in ("prompt", "x") and not name.endswith("bias"):
                values[name] += 1  # scales and norms
        self.flat = torch.cat([value.flatten() for value in values.values()]).requires_grad_(True)
        ends = torch.tensor([value.numel() for value in values.values()]).cumsum(0).tolist()
        self.parts = {name: self.flat[end - value.numel():end].reshape(value.shape)
                      for (name, value), end in zip(values.items(), ends)}

    def norm(self, name, weight):
        return self.parts.get(name, weight)

    def linear(self, name, x, weight):
        if f"{name}.scale" not in self.parts:
            return x @ weight.T
        return (x * self.parts[f"{name}.scale"]) @ weight.T + self.parts[f"{name}.bias"]

    def attention(self, layer, q, wk, wv):
        if layer != self.prefixed:
            return 0
        k, v = (self.linear(f"{layer}.{part}", self.parts["prompt"], weight).reshape(-1, self.c.kv_heads, self.c.head_dim)
                for part, weight in (("k", wk), ("v", wv)))
        return attention_to_prefix(q, k, v, self.parts["x"])
