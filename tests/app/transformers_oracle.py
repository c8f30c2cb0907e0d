#!/usr/bin/env python3
"""Folders that `cria convert` writes, in transformers (PyPI): the same logits and the same token ids.

    tests/app/transformers_oracle.py PROGRAM [MODEL…]

Ends with 77, which CTest shows as skipped, where `transformers` or `torch` is not installed.
"""
import json
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM
except ImportError as missing:
    print("skipped:", missing, "for", sys.executable)
    sys.exit(77)
from oracle import cria, drawn_tokens, encode, logits, models, texts

tolerance = 1e-4
compared = 0
with tempfile.TemporaryDirectory() as temporary:
    for number, source in enumerate(models()):
        for kind in ("F32", "F16", "BF16"):
            folder = Path(temporary) / f"{number}-{kind}"
            cria("convert", source, folder, "--type", kind)
            config = json.loads((folder / "config.json").read_text())
            count = min(48, config["max_position_embeddings"])
            ids = drawn_tokens(config["vocab_size"], count)
            # Sums in float64: those of SmolLM2 in float32 are themselves further off than cria's.
            model = LlamaForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).double().eval()
            with torch.no_grad():
                theirs = model(torch.tensor([ids])).logits[0].numpy()
            largest = abs(theirs - logits(folder, ids, Path(temporary))).max()
            agreed = ""
            if (folder / "tokenizer.json").exists():
                tokenizer = AutoTokenizer.from_pretrained(folder)
                begin = [config["bos_token_id"]] if config["bos_token_id"] is not None else []
                for text in texts:
                    if tokenizer(text)["input_ids"] != begin + encode(folder, text):
                        sys.exit(f"{source}: {text!r}\n  transformers {tokenizer(text)['input_ids']}\n"
                                 f"  cria         {begin + encode(folder, text)}")
                agreed = f", ids of {len(texts)} texts"
            print(f"{source.parent.name}/{source.name} {kind}: logits of {count} tokens at most {largest:.1e} apart{agreed}")
            if not largest <= tolerance:
                sys.exit(f"expected at most {tolerance}")
            compared += 1
print(f"{compared} folders agree")
