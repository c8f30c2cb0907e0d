#!/usr/bin/env python3
"""Compares cria with the sentencepiece library (PyPI): the pieces that both learn from a text with Llama's settings, and
the ids that both give with either's model.

    tests/app/sentencepiece_oracle.py PROGRAM

Ends with 77, which CTest shows as skipped, where `sentencepiece` is not installed.
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import sentencepiece
except ImportError:
    print("skipped: PyPI's sentencepiece is not installed for", sys.executable)
    sys.exit(77)

program = sys.argv[1]
draw = random.Random(1)


def cria(*arguments):
    run = subprocess.run([program, *map(str, arguments)], capture_output=True)
    if run.returncode:
        sys.exit(f"cria {arguments}: {run.stderr.decode()}")
    return run.stdout.decode()


def pieces_of(model):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    return [(processor.id_to_piece(i), processor.get_score(i), processor.is_control(i), processor.is_byte(i))
            for i in range(processor.vocab_size())]


def compare_ids(name, model, texts, folder):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    for text in texts:
        (folder / "text").write_bytes(text.encode())
        ours = json.loads(cria("tokenize", "encode", model, "--file", folder / "text", "--json"))["ids"]
        if ours != processor.encode(text):
            sys.exit(f"{name}: {text!r}\n  cria          {ours}\n  sentencepiece {processor.encode(text)}")


def random_line():
    common = list("  aabcdeésst'.,!-12Ω中国カー") + ["the ", " and", "ing", "  ", "при"]
    return "".join(draw.choice(common) for _ in range(draw.randrange(80)))


same = 0
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    stories = cria("stories", "--count", 1500)
    lines = "\n".join(random_line() for _ in range(1500))
    for name, text, vocabulary, coverage, control in (("stories", stories, 900, 0.99995, []),
                                                      ("stories, low coverage", stories, 600, 0.99, []),
                                                      ("random lines", lines, 800, 0.99995, ["<x>", "in"]),
                                                      ("both", lines + "\n" + stories, 1500, 0.9999, ["<x>"])):
        data, out, model = folder / "data.txt", folder / "ours", folder / "theirs"
        data.write_text(text)
        cria("tokenize", "train", "--kind", "sentencepiece", "--data", data, "--vocabulary", vocabulary, "--coverage",
             coverage, "--separator", "", "--out", out, *(a for c in control for a in ("--special", c)))
        sentencepiece.SentencePieceTrainer.train(
            input=str(data), model_prefix=str(model), model_type="bpe", vocab_size=vocabulary, byte_fallback=True,
            split_digits=True, allow_whitespace_only_pieces=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, character_coverage=coverage, control_symbols=control, minloglevel=2)
        ours, theirs = pieces_of(out / "tokenizer.model"), pieces_of(model.with_suffix(".model"))
        if ours != theirs:
            different = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
            sys.exit(f"{name}: {len(different)} of {len(theirs)} pieces differ, the first are {different[:4]}")
        same += len(ours)
        texts = [random_line() for _ in range(20)] + text.splitlines()[:10] + ["", " ", "   a", "\t\n x", "▁ ▁", "\U0001F600"]
        compare_ids(name, out / "tokenizer.model", texts, folder)
print(f"4 trainings agree in all {same} pieces, and in the ids of 144 texts")
