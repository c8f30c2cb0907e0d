#!/usr/bin/env python3
"""GGUF files that `cria convert` writes, in llama.cpp (PyPI's llama-cpp-python): the same 64 greedy tokens, and token ids.

    tests/app/llama_cpp_oracle.py PROGRAM [MODEL…]

llama.cpp multiplies F16 with activations rounded to F16, and Q8_0 with activations rounded to 8 bits; cria does neither.
So besides it is given the very numbers that such blocks stand for as F32: there the tokens must be the same, all of them.
In the rounded types a token may differ where cria's two best are nearer to each other than the rounding moves logits
(`near`, measured: see docs/convert.md). Each such place is printed.

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
from oracle import cria, encode, logits, models, texts

length = 64
near = {"F32": 0, "F16": 0.01, "Q8_0": 0.1, "Q8_0 as F32": 0}


def fail(message):
    print(message)  # llama_cpp may have closed standard error
    sys.exit(1)


def check(source, name, file, temporary):
    model = Llama(str(file), n_ctx=128, n_threads=1, n_gpu_layers=0, verbose=False)
    agreed = ""
    if "tokenizer.ggml.tokens" in model.metadata or model.metadata.get("tokenizer.ggml.model") not in (None, "none"):
        for text in texts:
            theirs = model.tokenize(text.encode(), add_bos=False, special=False)
            if theirs != encode(file, text):
                fail(f"{source}: {text!r}\n  llama.cpp {theirs}\n  cria      {encode(file, text)}")
        agreed = f", ids of {len(texts)} texts"
    count = min(length, model.n_ctx_train() - 2 if hasattr(model, "n_ctx_train") else length)
    ids = [max(model.token_bos(), 1)]
    for _ in range(count):
        model.eval(ids[-1:])
        ids.append(model.sample(temp=0, repeat_penalty=1))
    ours = logits(file, ids[:-1], temporary)
    ties = []
    for place, (row, chosen) in enumerate(zip(ours, ids[1:])):
        gap = row.max() - row[chosen]
        if row.argmax() != chosen:
            ties.append(f"place {place}: llama.cpp {chosen}, cria {row.argmax()}, {gap:.2g} apart")
            if not gap <= near[name]:
                fail(f"{source} {name}: {ties[-1]}")
    print(f"{source.parent.name}/{source.name} {name}: {count} greedy tokens{agreed}{''.join('; near tie at ' + t for t in ties)}")


with tempfile.TemporaryDirectory() as name:
    temporary, compared = Path(name), 0
    for source in models():
        for kind in ("F32", "F16", "Q8_0"):
            cria("convert", source, temporary / f"{kind}.gguf", "--type", kind, "--overwrite")
            check(source, kind, temporary / f"{kind}.gguf", temporary)
            compared += 1
        cria("convert", temporary / "Q8_0.gguf", temporary / "same.gguf", "--type", "F32", "--overwrite")
        check(source, "Q8_0 as F32", temporary / "same.gguf", temporary)
print(f"{compared} files agree")
