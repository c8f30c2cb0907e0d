#!/usr/bin/env python3
"""Compares cria's tokenizer with Hugging Face's `tokenizers` (PyPI): ids of random texts, and files in both directions.

    tests/app/tokenizers_oracle.py PROGRAM

Ends with 77, which CTest shows as skipped, where `tokenizers` is not installed.
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
except ImportError:
    print("skipped: PyPI's tokenizers is not installed for", sys.executable)
    sys.exit(77)

program = sys.argv[1]
specials = ["<|end|>", "two words", "日"]  # one with a space, one that is not written in GPT-2's bytes
llama3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
cl100k = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
          r"|\s+(?!\S)|\s")
gpt2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def split_by(expression, behavior="isolated", invert=False):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), behavior, invert),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
kinds = {
    "gpt2": byte_level,
    "gpt2 in a sequence": pre_tokenizers.Sequence([byte_level]),
    "gpt2 spelled out": split_by(gpt2),
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level]),
    "llama3": split_by(llama3),
    "qwen2": split_by(llama3.replace("{1,3}", "")),
    "cl100k": split_by(cl100k),
    "cl100k as first written": split_by(llama3, "removed", True),
}

draw = random.Random(1)
common = list("  \n\n\r\tabcdeESTLLlmrv's't'12345½Ⅵ٣.,!-é中\u00a0\u3000\u2028\u0301\u017f") + ["the ", " and", "'ll", "12"]


def random_text(length):
    return "".join(draw.choice(common) if draw.random() < 0.9 else chr(draw.choice((draw.randrange(1, 0x2000),
                   draw.randrange(0xAC00, 0xD7A4)))) for _ in range(length))


# SentencePiece's kind: how blanks are written and added, and whether bytes or <unk> stand for unknown characters.
prepend, replace = normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")
blank_kinds = {
    "prepend and replace": (normalizers.Sequence([prepend, replace]), None),
    "replace only": (normalizers.Sequence([replace]), None),
    **{f"metaspace {scheme} {split}": (None, pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split))
       for scheme in ("always", "first", "never") for split in (True, False)},
}


def sentencepiece_like(normalizer, pre_tokenizer, bytes_too, across, texts):
    """A tokenizer with merges learned from the texts; `across` learns some that reach across blanks."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = None if across else pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    if not across:
        trained.pre_tokenizer = pre_tokenizers.Sequence([trained.pre_tokenizer, pre_tokenizers.Split("▁", "merged_with_next")])
    trainer = trainers.BpeTrainer(vocab_size=400, limit_alphabet=60, show_progress=False)
    trained.train_from_iterator([text.replace(" ", "▁") for text in texts], trainer)
    model = json.loads(trained.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256) if bytes_too]
    tokens += [token for token in sorted(model["vocab"], key=model["vocab"].get) if token not in tokens]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [tuple(merge) for merge in model["merges"]], unk_token="<unk>",
                                     fuse_unk=True, byte_fallback=bytes_too))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    adds = "never" not in str(pre_tokenizer) if pre_tokenizer else "Prepend" in str(normalizer)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           *([decoders.Strip(" ", 1, 0)] if adds else [])])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    return tokenizer


def cria(*arguments):
    run = subprocess.run([program, *map(str, arguments)], capture_output=True)
    if run.returncode:
        sys.exit(f"cria {arguments}: {run.stderr.decode()}")
    return run.stdout.decode()


def compare(name, folder, theirs, texts, special=False):
    for text in texts:
        file = folder / "text"
        file.write_bytes(text.encode())
        ours = json.loads(cria("tokenize", "encode", folder, "--file", file, "--json",
                               *(["--special"] if special else [])))["ids"]
        expected = theirs.encode(text, add_special_tokens=False).ids
        if ours != expected:
            sys.exit(f"{name}: {text!r}\n  cria       {ours}\n  tokenizers {expected}")


def through_cria(name, folder, tokenizer, texts, unseen):
    """What cria writes, tokenizers reads with the same ids, special tokens first as they were."""
    (folder / "data").write_text("\n".join(texts))
    (folder / "recipe").write_text("model: {dim: 32, layers: 1, heads: 1, kv_heads: 1}\n"
                                   "data: {context: 16, batch: 1, validation_tokens: 16}\n")
    cria("train", "--data", folder / "data", "--recipe", folder / "recipe", "--tokenizer", folder, "--steps", 1,
         "--out", folder / "model", "--json")
    back = Tokenizer.from_file(str(folder / "model" / "tokenizer.json"))
    if back.get_vocab() != tokenizer.get_vocab():
        changed = set(back.get_vocab().items()) ^ set(tokenizer.get_vocab().items())
        sys.exit(f"{name}: {len(changed)} tokens changed on the way through cria, such as {sorted(changed)[:6]}")
    for text in unseen:
        if back.encode(text).ids != tokenizer.encode(text).ids:
            sys.exit(f"{name}: other ids after the way through cria: {text!r}")
        ids = tokenizer.encode(text).ids
        if tokenizer.decoder and back.decode(ids) != tokenizer.decode(ids):
            sys.exit(f"{name}: another text after the way through cria: {text!r}")


with tempfile.TemporaryDirectory() as temporary:
    for number, (name, pre_tokenizer) in enumerate(kinds.items()):
        folder = Path(temporary) / str(number)
        folder.mkdir()
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizer
        if name == "qwen2":
            tokenizer.normalizer = normalizers.NFC()
        # Every second one lacks the bytes that no text in UTF-8 has, as SmolLM's does.
        alphabet = pre_tokenizers.ByteLevel.alphabet() if number % 2 else []
        texts = [random_text(300) for _ in range(40)]
        every_byte = "".join(chr(c) for c in [*range(1, 0x900), *range(0x1000, 0xD800, 61), *range(0x10000, 0x110000, 4099)])
        trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=specials, initial_alphabet=alphabet,
                                      show_progress=False)
        tokenizer.train_from_iterator(texts * 3 + [every_byte], trainer)
        tokenizer.save(str(folder / "tokenizer.json"))
        unseen = [random_text(300) for _ in range(25)]
        compare(name, folder, tokenizer, texts[:10] + unseen)
        compare(name, folder, tokenizer, ["a<|end|> two words日b"], special=True)

        through_cria(name, folder, tokenizer, texts, unseen + ["a<|end|> two words日b"])

    for number, (name, (normalizer, pre_tokenizer)) in enumerate(blank_kinds.items()):
        for bytes_too, across in ((True, False), (False, False), (True, True)):
            folder = Path(temporary) / f"blanks {number} {bytes_too} {across}"
            folder.mkdir()
            texts = [random_text(300) + random_text(60).replace("e", "  ▁") for _ in range(40)]
            tokenizer = sentencepiece_like(normalizer, pre_tokenizer, bytes_too, across, texts)
            tokenizer.save(str(folder / "tokenizer.json"))
            unseen = [start + random_text(200) for start in ("", "", " ", "  ", "▁", "\n") for _ in range(4)]
            parsed = ["<s>a<s> b</s>  c", " <s>", "a<unk>b", "</s><s>▁a"]
            name = f"{name}, bytes {bytes_too}, across {across}"
            compare(name, folder, tokenizer, texts[:10] + unseen + ["", " ", "   "])
            compare(name, folder, tokenizer, parsed, special=True)
            through_cria(name, folder, tokenizer, texts, unseen + parsed)

    # What cria trains.
    for pattern in ("gpt2", "smollm", "llama3", "qwen2", "cl100k", "llama-cpp", "none"):
        folder = Path(temporary) / pattern
        data = Path(temporary) / "data"
        data.write_text("\n<|end|>\n".join(random_text(200) for _ in range(50)))
        cria("tokenize", "train", "--data", data, "--pattern", pattern, "--vocabulary", 500, "--separator", "<|end|>",
             *(argument for special in specials for argument in ("--special", special)), "--out", folder)
        theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
        compare("trained with " + pattern, folder, theirs, [random_text(300) for _ in range(15)])
        compare("trained with " + pattern, folder, theirs, ["a<|end|> two words日b"], special=True)
print(f"{len(kinds) + 3 * len(blank_kinds)} kinds and 7 trained ones agree")
