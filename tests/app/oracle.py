"""What the oracles of converted models share: the program, the models to try, and cria's own logits and token ids."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy

program = sys.argv[1]
root = Path(__file__).resolve().parents[2]
cases = Path(os.environ.get("CRIA_CASES", root.parent / "shared" / "cases"))
texts = ["Once upon a time there was a small dragon.", "It's 12345 o'clock;  two blanks,\n\tand a tab.", " ",
         "naïve Ä日本 🙂 don't", "  in front, behind  "]


def models():
    """Those named on the command line, else the small one that comes with cria and reference cases where they are."""
    named = [Path(name) for name in sys.argv[2:]]
    if named:
        return named
    found = [root / "data" / "model"]
    found += [cases / "weights" / "hf", cases / "weights" / "stories260K.gguf"]
    found += [cases / "forward" / name for name in ("gqa_8_2", "mha_llama2", "tied_llama2", "llama31_scaled_short")]
    found += [cases / "pth" / name for name in ("llama2_2shards", "llama3_2shards")]
    return [model for model in found if model.exists()]


def cria(*arguments):
    run = subprocess.run([program, *map(str, arguments)], capture_output=True)
    if run.returncode:
        sys.exit(f"cria {' '.join(map(str, arguments))}: {run.stderr.decode()}")
    return run.stdout.decode()


def logits(model, ids, folder, adapter=None):
    """(tokens, V) of these tokens, a sequence or several of one length."""
    numpy.save(folder / "ids.npy", numpy.array(ids, numpy.int32))
    options = ["--adapter", adapter] if adapter else []
    cria("trace", model, *options, "--tokens", folder / "ids.npy", "--out", folder / "traced")
    return numpy.load(folder / "traced" / "logits.npy").reshape(numpy.size(ids), -1)


def encode(model, text):
    (Path(model).parent / "text").write_bytes(text.encode())
    return json.loads(cria("tokenize", "encode", model, "--file", Path(model).parent / "text", "--json"))["ids"]


def mean_loss(logits, ids):
    """Nats for each token of these sequences but the first, after its sequence's logits up to it."""
    rows = logits.reshape(*numpy.shape(ids), -1)[:, :-1].astype(numpy.float64)
    largest = rows.max(axis=2, keepdims=True)
    losses = largest[..., 0] + numpy.log(numpy.exp(rows - largest).sum(axis=2))
    return (losses - numpy.take_along_axis(rows, numpy.array(ids)[:, 1:, None], 2)[..., 0]).mean()


def drawn_tokens(vocabulary, count):
    return numpy.random.default_rng(1).integers(3, vocabulary, count).tolist()
