"""A Llama in PyTorch, float64, written to be checked against: no cache, no fused anything, complex-free RoPE.

Parameters are one flat vector in the order in which cria visits them (chapters/08-llama/parameters.hpp).
"""

import torch


class Config:
    def __init__(self, vocabulary, dim, hidden, layers, heads, kv_heads, head_dim, theta=10000.0, eps=1e-5, tied=False):
        self.vocabulary, self.dim, self.hidden, self.layers = vocabulary, dim, hidden, layers
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, head_dim
        self.theta, self.eps, self.tied = theta, eps, tied

    def shapes(self):
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        layer = [(self.dim,), (queries, self.dim), (keys, self.dim), (keys, self.dim), (self.dim, queries),
                 (self.dim,), (self.hidden, self.dim), (self.hidden, self.dim), (self.dim, self.hidden)]
        head = [] if self.tied else [(self.vocabulary, self.dim)]
        return [(self.vocabulary, self.dim)] + layer * self.layers + [(self.dim,)] + head

    def count(self):
        return sum(torch.Size(shape).numel() for shape in self.shapes())


def norm(x, weight, eps):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * weight


def rope(x, theta):  # (B, T, heads, head_dim), half-split
    half = x.shape[-1] // 2
    frequencies = theta ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.arange(x.shape[1], dtype=torch.float64)[:, None] * frequencies
    cosine, sine = torch.cos(angles)[:, None, :], torch.sin(angles)[:, None, :]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)


class Plain:
    """What a layer does with its weights, for an adapter (15_adapters.py) to do otherwise."""

    def norm(self, name, weight):
        return weight

    def linear(self, name, x, weight):
        return x @ weight.T

    def attention(self, layer, q, wk, wv):  # (B, T, heads, head_dim)
        return 0


def forward(c, flat, tokens, layers=Plain()):
    """tokens (B, T) -> logits (B, T, V) and the residual stream before the first and after every layer."""
    parts, at = [], 0
    for shape in c.shapes():
        size = torch.Size(shape).numel()
        parts.append(flat[at:at + size].reshape(shape))
        at += size
    parts = iter(parts)
    embedding = next(parts)
    x = embedding[tokens]
    hidden = [x]
    B, T = tokens.shape
    mask = torch.full((T, T), float("-inf"), dtype=torch.float64).triu(1)
    for i in range(c.layers):
        n1, wq, wk, wv, wo, n2, gate, up, down = (next(parts) for _ in range(9))
        h = norm(x, layers.norm(f"{i}.1", n1), c.eps)
        q = rope(layers.linear(f"{i}.q", h, wq).reshape(B, T, c.heads, c.head_dim), c.theta)
        k = rope(layers.linear(f"{i}.k", h, wk).reshape(B, T, c.kv_heads, c.head_dim), c.theta)
        v = layers.linear(f"{i}.v", h, wv).reshape(B, T, c.kv_heads, c.head_dim)
        k, v = (t.repeat_interleave(c.heads // c.kv_heads, dim=2) for t in (k, v))
        scores = torch.einsum("bthd,bshd->bhts", q, k) / c.head_dim ** 0.5 + mask
        attended = torch.einsum("bhts,bshd->bthd", scores.softmax(-1), v) + layers.attention(i, q, wk, wv)
        x = x + layers.linear(f"{i}.o", attended.reshape(B, T, -1), wo)
        h = norm(x, layers.norm(f"{i}.2", n2), c.eps)
        gated = torch.nn.functional.silu(layers.linear(f"{i}.gate", h, gate)) * layers.linear(f"{i}.up", h, up)
        x = x + layers.linear(f"{i}.down", gated, down)
        hidden.append(x)
    normed = norm(x, layers.norm("last", next(parts)), c.eps)
    return normed @ (embedding if c.tied else next(parts)).T, hidden


def random_parameters(c, goldens, scale):
    """Norms around one, matrices around zero: all of them matter to the result."""
    parts = []
    for shape in c.shapes():
        values = goldens.normal(*shape, scale=0.3 if len(shape) == 1 else scale).detach().flatten()
        parts.append(1 + values if len(shape) == 1 else values)
    return torch.cat(parts).requires_grad_(True)


def mean_loss(c, flat, tokens, layers=Plain()):
    """The mean cross entropy of each token given those before it."""
    logits, _ = forward(c, flat, tokens, layers)
    return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, c.vocabulary), tokens[:, 1:].reshape(-1))
