#!/usr/bin/env python3
"""Adapters that PEFT (PyPI) writes: merged by `cria convert --adapter` they give PEFT's logits.

    tests/app/peft_oracle.py PROGRAM [MODEL…]

Ends with 77, which CTest shows as skipped, where `peft`, `transformers` or `torch` is not installed.
"""
import json
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaForCausalLM
except ImportError as missing:
    print("skipped:", missing, "for", sys.executable)
    sys.exit(77)
from oracle import cria, drawn_tokens, logits, models

tolerance = 1e-4
attention = ["q_proj", "v_proj"]
kinds = {"of q and v": {"target_modules": attention},
         "of all linear layers": {"target_modules": "all-linear"},
         "with rsLoRA": {"target_modules": attention, "use_rslora": True, "lora_alpha": 5},
         "of one layer": {"target_modules": ["down_proj"], "layers_to_transform": [1]},
         "of the head": {"target_modules": ["lm_head", "o_proj"]}}
compared = 0
with tempfile.TemporaryDirectory() as temporary:
    for number, source in enumerate(models()):
        base = Path(temporary) / f"{number}"
        cria("convert", source, base, "--type", "F32")
        config = json.loads((base / "config.json").read_text())
        ids = drawn_tokens(config["vocab_size"], min(48, config["max_position_embeddings"]))
        for kind, options in kinds.items():
            torch.manual_seed(compared)
            model = LlamaForCausalLM.from_pretrained(base, torch_dtype=torch.float32)
            model = get_peft_model(model, LoraConfig(r=4, task_type="CAUSAL_LM", **{"lora_alpha": 8, **options})).eval()
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    if "lora_" in name:
                        parameter.normal_(0, 0.1)
                adapter, merged = (Path(temporary) / f"{what}-{compared}" for what in ("adapter", "merged"))
                model.save_pretrained(adapter, save_embedding_layers=False)
                theirs = model.double()(torch.tensor([ids])).logits[0].numpy()
            before = abs(theirs - logits(base, ids, Path(temporary))).max()
            cria("convert", base, merged, "--adapter", adapter)
            largest = abs(theirs - logits(merged, ids, Path(temporary))).max()
            print(f"{source.parent.name}/{source.name} {kind}: logits at most {largest:.1e} apart, {before:.1e} without it")
            if not largest <= tolerance * max(1, abs(theirs).max()) or not before > 100 * largest:
                sys.exit(f"expected at most {tolerance} of the largest")
            compared += 1
print(f"{compared} adapters agree")
