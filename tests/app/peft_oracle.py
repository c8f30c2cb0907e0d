#!/usr/bin/env python3
"""Adapters that PEFT (PyPI) writes give its logits in cria, and those that cria trained give cria's logits in PEFT.

    tests/app/peft_oracle.py PROGRAM [MODEL…]

Ends with 77, which CTest shows as skipped, where `peft`, `transformers` or `torch` is not installed.
"""
import json
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from peft import AdaptionPromptConfig, LoraConfig, PeftModel, get_peft_model
    from transformers import LlamaForCausalLM
except ImportError as missing:
    print("skipped:", missing, "for", sys.executable)
    sys.exit(77)
from oracle import cria, drawn_tokens, logits, models, root

tolerance = 1e-4
attention = ["q_proj", "v_proj"]
lora = {"of q and v": {"target_modules": attention},
        "of all linear layers": {"target_modules": "all-linear"},
        "with rsLoRA": {"target_modules": attention, "use_rslora": True, "lora_alpha": 5},
        "of the last layer": {"target_modules": ["down_proj"]},
        "of the head": {"target_modules": ["lm_head", "o_proj"]}}
trained = {"lora": "lora: {rank: 3, alpha: 9}", "adapter": "adapter: {gate: layer, prompt: 4, layers: 2}"}
compared = 0


def load(base):
    return LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].double().numpy()


def compare(what, theirs, mine, without):
    """`without` are cria's logits without the adapter: one that did nothing would prove nothing."""
    global compared
    apart, does = abs(theirs - mine).max(), abs(theirs - without).max()
    print(f"{what}: logits at most {apart:.1e} apart, {does:.1e} without it")
    if not apart <= tolerance * max(1, abs(theirs).max()) or not does > 100 * apart:
        sys.exit(f"expected at most {tolerance} of the largest")
    compared += 1


def draw(model, part, deviation):
    torch.manual_seed(compared)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if part in name:
                parameter.normal_(0, deviation)


with tempfile.TemporaryDirectory() as temporary:
    work = Path(temporary)
    for number, source in enumerate(models()):
        base = work / f"{number}"
        cria("convert", source, base, "--type", "F32")
        config = json.loads((base / "config.json").read_text())
        ids = drawn_tokens(config["vocab_size"], min(48, config["max_position_embeddings"]))
        before = logits(base, ids, work)
        name = f"{source.parent.name}/{source.name}"
        lora["of the last layer"]["layers_to_transform"] = [config["num_hidden_layers"] - 1]
        for kind, options in lora.items():
            model = get_peft_model(load(base), LoraConfig(r=4, task_type="CAUSAL_LM", **{"lora_alpha": 8, **options}))
            draw(model.eval(), "lora_", 0.1)
            adapter, merged = work / f"adapter-{compared}", work / f"merged-{compared}"
            model.save_pretrained(adapter, save_embedding_layers=False)
            theirs = logits_of(model.double(), ids)
            cria("convert", base, merged, "--adapter", adapter)
            compare(f"{name} {kind}, merged", theirs, logits(merged, ids, work), before)
        options = AdaptionPromptConfig(adapter_len=3, adapter_layers=min(2, config["num_hidden_layers"]),
                                       task_type="CAUSAL_LM")
        model = get_peft_model(load(base), options).eval()
        draw(model, "adaption_", 1)
        adapter = work / f"prompt-{number}"
        model.save_pretrained(adapter)
        compare(f"{name} with prompts", logits_of(model, ids), logits(base, ids, work, adapter), before)

    base = work / "base"
    cria("convert", root / "data" / "model", base, "--type", "F32")
    ids = drawn_tokens(json.loads((base / "config.json").read_text())["vocab_size"], 48)
    before = logits(base, ids, work)
    for method, setting in trained.items():
        recipe, adapter = work / f"{method}.yaml", work / method
        recipe.write_text("optimiser: {learning_rate: 1e-2}\ndata: {batch: 2, context: 256, lanes: 2, "
                          f"validation_tokens: 512, evaluations: 1}}\n{setting}\n")
        cria("finetune", base, "--method", method, "--recipe", recipe, "--steps", 10, "--out", adapter)
        theirs = logits_of(PeftModel.from_pretrained(load(base), adapter).eval(), ids)
        compare(f"{method}, trained by cria", theirs, logits(base, ids, work, adapter), before)
print(f"{compared} adapters agree")
