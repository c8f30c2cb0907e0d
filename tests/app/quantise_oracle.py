#!/usr/bin/env python3
"""What `cria quantise` writes, beside llama.cpp: PyPI's `gguf` reads the same numbers from it as cria, and llama.cpp's
own quantiser (PyPI's llama-cpp-python) is further from the model's numbers.

    tests/app/quantise_oracle.py PROGRAM [MODEL]

Each matrix is compared in the type that cria gave it. Printed is the root mean square of the error over that of the
numbers, of cria's blocks and of llama.cpp's.

Ends with 77, which CTest shows as skipped, where `gguf` or `llama_cpp` is not installed.
"""
import ctypes
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
library = next((Path(llama_cpp.__file__).parent / "lib").glob("*ggml-base.*"))
quantize = ctypes.CDLL(str(library)).ggml_quantize_chunk
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


with tempfile.TemporaryDirectory() as name:
    temporary = Path(name)
    source = Path(sys.argv[2]) if len(sys.argv) > 2 else root / "data" / "model"
    cria("convert", source, temporary / "exact.gguf", "--type", "F32")
    for kind in types:
        compare(source, kind, tensors(temporary / "exact.gguf"), temporary)
