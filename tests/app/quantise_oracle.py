#!/usr/bin/env python3
"""What `cria quantise` writes, beside llama.cpp: PyPI's `gguf` reads the same numbers from it as cria, and llama.cpp's
own quantiser (PyPI's llama-cpp-python) is further from the model's numbers, and the model from its predictions.

    tests/app/quantise_oracle.py PROGRAM [MODEL [TEXT]]

Each matrix is compared in the type that cria gave it. Printed is the root mean square of the error over that of the
numbers, of cria's blocks and of llama.cpp's. Then both programs write the whole model, and what `cria eval` says of the
two files is printed: the divergence from the model on the text, or on stories, and the nats per token.

Ends with 77, which CTest shows as skipped, where `gguf` or `llama_cpp` is not installed.
"""
import ctypes
import json
import sys
import tempfile
from pathlib import Path

try:
    import llama_cpp
    from gguf import GGUFReader, dequantize
except ImportError as missing:
    print("skipped:", missing, "for", sys.executable)
    sys.exit(77)
import numpy
from oracle import cria, root

types = ["Q8_0", "Q6_K", "Q5_1", "Q5_K", "Q5_0", "Q4_1", "Q4_K", "Q4_0", "IQ4_NL", "IQ4_XS", "Q3_K", "Q2_K"]
mixtures = ["Q8_0", "Q4_0", "Q4_K", "Q4_K_S", "Q4_K_M"]
library = next((Path(llama_cpp.__file__).parent / "lib").glob("*ggml-base.*"))
quantize = ctypes.CDLL(str(library)).ggml_quantize_chunk
quiet = llama_cpp.llama_log_callback(lambda *_: None)
llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
quantize.restype = ctypes.c_size_t
quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 3, ctypes.c_void_p]


def tensors(file):
    return {tensor.name: tensor for tensor in GGUFReader(file).tensors if len(tensor.shape) == 2}


def squares(numbers):
    return float(numpy.square(numbers, dtype=numpy.float64).sum())


def compare(model, kind, exact, folder):
    cria("quantise", model, folder / "blocks.gguf", "--type", kind, "--overwrite")
    cria("convert", folder / "blocks.gguf", folder / "numbers.gguf", "--type", "F32", "--overwrite")
    numbers, sums = tensors(folder / "numbers.gguf"), {}
    for name, tensor in tensors(folder / "blocks.gguf").items():
        expected, type_ = exact[name].data, tensor.tensor_type
        ours = dequantize(tensor.data, type_).reshape(expected.shape)
        apart = abs(ours - numbers[name].data).max()
        if not apart <= 1e-6 * abs(ours).max():  # a product and a sum, rounded once or twice
            sys.exit(f"{kind}, {name}: gguf and cria read numbers {apart} apart")
        values, blocks = numpy.ascontiguousarray(expected), numpy.zeros_like(tensor.data)
        quantize(int(type_), values.ctypes.data, blocks.ctypes.data, 0, *values.shape, None)
        theirs = dequantize(blocks, type_).reshape(expected.shape)
        errors = squares(ours - expected), squares(theirs - expected), squares(expected)
        sums[type_.name] = [a + b for a, b in zip(sums.get(type_.name, (0, 0, 0)), errors)]
    for name, (ours, theirs, all_) in sums.items():
        result = f"{kind:6} {name:6} cria {(ours / all_) ** 0.5:.5f}  llama.cpp {(theirs / all_) ** 0.5:.5f}"
        if ours > theirs:
            sys.exit(result)
        if name == kind or kind not in sums:
            print(f"{result}  {(ours / theirs) ** 0.5:.3f}")


def evaluate(file, exact, text):
    report = json.loads(cria("eval", file, "--against", exact, "--data", text, "--context", 256, "--json"))
    return report["kl_divergence"], report["nats_per_token"]


def compare_predictions(model, kind, exact, folder, text):
    ours, theirs = folder / "ours.gguf", folder / "theirs.gguf"
    cria("quantise", model, ours, "--type", kind, "--overwrite")
    options = llama_cpp.llama_model_quantize_default_params()
    options.pure = kind[-2:] not in ("_S", "_M")
    options.ftype = getattr(llama_cpp, "LLAMA_FTYPE_MOSTLY_" + (kind + "_S" if kind == "Q4_K" else kind))
    if llama_cpp.llama_model_quantize(str(exact).encode(), str(theirs).encode(), ctypes.byref(options)):
        sys.exit(f"llama.cpp cannot quantise {exact} to {kind}")
    (our_divergence, our_loss), (their_divergence, their_loss) = (evaluate(file, exact, text) for file in (ours, theirs))
    print(f"{kind:6} divergence cria {our_divergence:.6f}  llama.cpp {their_divergence:.6f}  "
          f"{our_divergence / their_divergence:.3f}  nats {our_loss:.5f} {their_loss:.5f}")
    if not our_divergence <= their_divergence:
        sys.exit(f"{kind}: cria's file diverges more")


with tempfile.TemporaryDirectory() as name:
    temporary = Path(name)
    source = Path(sys.argv[2]) if len(sys.argv) > 2 else root / "data" / "model"
    text = sys.argv[3] if len(sys.argv) > 3 else "stories"
    cria("convert", source, temporary / "exact.gguf", "--type", "F32")
    for kind in types:
        compare(source, kind, tensors(temporary / "exact.gguf"), temporary)
    for kind in mixtures:
        compare_predictions(source, kind, temporary / "exact.gguf", temporary, text)
