"""Goldens of chapter 05: causal attention with grouped key/value heads, written plainly with the whole T x S matrix."""

import math

import torch

from common import gradients

SEED = 5


def attention(q, k, v, first_key):
    """q (T,H,Dh), k and v (S,G,Dh), first_key (T) -> out (T,H,Dh), log of the sum of exponentials (T,H)."""
    queries, heads, head_dim = q.shape
    keys, kv_heads, _ = k.shape
    k = k.repeat_interleave(heads // kv_heads, dim=1)  # query head h looks at head h // (H / G)
    v = v.repeat_interleave(heads // kv_heads, dim=1)
    scores = torch.einsum("thd,shd->ths", q, k) / math.sqrt(head_dim)
    key = torch.arange(keys)
    own = torch.arange(queries) + keys - queries
    hidden = (key[None, :] > own[:, None]) | (key[None, :] < first_key[:, None])
    scores = scores.masked_fill(hidden[:, None, :], -math.inf)
    return torch.einsum("ths,shd->thd", torch.softmax(scores, -1), v), torch.logsumexp(scores, -1)


def case(goldens, name, queries, keys, heads, kv_heads, head_dim, documents=()):
    """`documents` are the positions at which a new document begins."""
    q = goldens.input(f"{name}_q", goldens.normal(queries, heads, head_dim))
    k = goldens.input(f"{name}_k", goldens.normal(keys, kv_heads, head_dim))
    v = goldens.input(f"{name}_v", goldens.normal(keys, kv_heads, head_dim))
    own = torch.arange(queries) + keys - queries
    first_key = torch.zeros(queries, dtype=torch.long)
    for start in documents:
        first_key[own >= start] = start
    if documents:
        goldens.input(f"{name}_first_key", first_key)
    out, log_sum_exp = attention(q, k, v, first_key)
    goldens.output(f"{name}_out", out)
    goldens.output(f"{name}_log_sum_exp", log_sum_exp)
    d_out = goldens.input(f"{name}_d_out", goldens.normal(queries, heads, head_dim))
    for x, gradient in zip("qkv", gradients(out, d_out, q, k, v)):
        goldens.output(f"{name}_d_{x}", gradient)


def make(goldens):
    case(goldens, "mha", 7, 7, 3, 3, 3)
    case(goldens, "gqa", 65, 65, 4, 2, 3)
    case(goldens, "mqa", 2, 2, 3, 1, 48)
    case(goldens, "decode", 1, 9, 4, 2, 8)
    case(goldens, "chunk", 7, 19, 4, 2, 5)  # seven more queries after twelve keys in a cache
    case(goldens, "documents", 65, 65, 2, 1, 8, documents=(3, 4, 40))
