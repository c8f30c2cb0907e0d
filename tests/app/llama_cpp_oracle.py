#!/usr/bin/env python3
"""GGUF files that `cria convert` and `cria quantise` write, in llama.cpp (PyPI's llama-cpp-python): the same token ids,
the same 64 greedy tokens, and the same perplexity of stories.

    tests/app/llama_cpp_oracle.py PROGRAM [MODEL…]

llama.cpp multiplies F16 with activations rounded to F16, and blocks with activations rounded to 8 bits; `cria trace`,
which is used here, does neither. So besides it is given the very numbers that such a file stands for as F32: there every
token must be the same, and the logits nearly so. With rounded activations a token may differ where cria's choices are
nearer to each other than that rounding moves llama.cpp's own logits. Each such place is printed.

Ends with 77, which CTest shows as skipped, where `llama_cpp` is not installed.
"""
import sys
import tempfile
from pathlib import Path

try:
    from llama_cpp import Llama
except ImportError as missing:
    print("skipped:", missing, "for", sys.executable)
    sys.exit(77)
from numpy import array, exp, vstack
from oracle import cria, drawn_tokens, encode, logits, mean_loss, models, texts

length = 64
windows = 8  # of twice as many tokens, to measure perplexity on
tolerance = 1e-4  # of logits, where both compute in F32; those of SmolLM2 reach 33


def fail(message):
    print(message)  # llama_cpp may have closed standard error
    sys.exit(1)


def load(file):
    float32 = 0  # GGML's number for it: keys and values are otherwise kept as F16
    return Llama(str(file), n_ctx=128, n_threads=1, n_gpu_layers=0, type_k=float32, type_v=float32, logits_all=True,
                 verbose=False)


def has_tokenizer(model):
    return model.metadata.get("tokenizer.ggml.model") != "none"


def check_ids(model, file):
    if not has_tokenizer(model):
        return ""
    for text in texts:
        theirs, ours = model.tokenize(text.encode(), add_bos=False, special=False), encode(file, text)
        if theirs != ours:
            fail(f"{file}: {text!r}\n  llama.cpp {theirs}\n  cria      {ours}")
    return f", ids of {len(texts)} texts"


def feed(model, ids):
    """llama.cpp's logits for each of these tokens. One at a time, as generation does."""
    model.reset()
    for token in ids:
        model.eval([token])
    return model.scores[:len(ids)].copy()


def greedy(model):
    ids = [max(model.token_bos(), 1)]
    model.reset()
    for _ in range(length):
        model.eval(ids[-1:])
        ids.append(int(model.scores[model.n_tokens - 1].argmax()))
    return ids


def check_perplexity(model, file, exact, temporary):
    count = windows * 2 * length
    ids = encode(file, cria("stories", "--count", windows * 2)) if has_tokenizer(model) else []
    ids = array(ids[:count] if len(ids) >= count else drawn_tokens(model.n_vocab(), count)).reshape(windows, -1)
    theirs = []
    for window in ids.tolist():
        model.reset()
        model.eval(window)
        theirs.append(model.scores[:len(window)].copy())
    ours, theirs = exp(mean_loss(logits(file, ids, temporary), ids)), exp(mean_loss(vstack(theirs), ids))
    result = f"perplexity {ours:.4f}, in llama.cpp {theirs:.4f} ({100 * (theirs / ours - 1):+.3f} %)"
    if not abs(theirs / ours - 1) <= (1e-4 if exact == file else 5e-3):
        fail(f"{file}: {result}")
    return result


def check(title, file, exact, temporary):
    model = load(file)
    agreed = check_ids(model, file)
    ids = greedy(model)
    ours = logits(file, ids[:-1], temporary)
    theirs = feed(load(exact), ids[:-1])
    apart = abs(ours - theirs).max()
    moved = abs(feed(model, ids[:-1]) - theirs).max(axis=1)
    ties = ""
    for place, (row, chosen) in enumerate(zip(ours, ids[1:])):
        gap = row.max() - row[chosen]
        if gap > 0:
            ties += (f"; at place {place} llama.cpp has {chosen} and cria {row.argmax()}, {gap:.2g} apart where rounding "
                     f"moves {moved[place]:.2g}")
            if exact == file or not gap <= 2 * moved[place]:  # each of the two may move
                fail(title + ties)
    if not apart <= max(tolerance, 1e-5 * abs(theirs).max()):
        fail(f"{title}: logits {apart:.1e} apart, expected at most {tolerance}, or 1e-5 of the largest")
    perplexity = check_perplexity(model, file, exact, temporary)
    print(f"{title}: {length} greedy tokens, logits at most {apart:.1e} apart, {perplexity}{agreed}{ties}")


with tempfile.TemporaryDirectory() as name:
    temporary, compared = Path(name), 0
    for source in models():
        title = f"{source.parent.name}/{source.name}"
        for kind in ("F32", "F16", "Q8_0", "Q4_0", "Q4_K_M"):
            file, exact = temporary / f"{kind}.gguf", temporary / "exact.gguf"
            command = "quantise" if kind.startswith("Q4") else "convert"
            cria(command, source, file, "--type", kind, "--overwrite")
            if kind == "F32":
                exact = file
            else:
                cria("convert", file, exact, "--type", "F32", "--overwrite")
                check(f"{title} {kind} as F32", exact, exact, temporary)
            check(f"{title} {kind}", file, exact, temporary)
            compared += 1
print(f"{compared} files agree")
