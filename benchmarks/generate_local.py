"""Our in-process path against bare ``generate`` of transformers: the same weights, pictures, prompt, options and seed.

Run as ``python -m benchmarks.generate_local``. A model of the Qwen2.5-VL architecture with random weights (about 100
million, so that computing and not Python is measured) is built and saved first; both sides begin with PNG bytes and end
with a text, and the texts must be the same. On a processor seconds are those of one core, so that other programs do not
count; on a card those of the clock. ``--device cuda --hidden 3584 --layers 28`` is about the size of the real 7B.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pet2rep_core.vlm.local import TransformersAdapter
from pet2rep_core.vlm.local_device import Setup
from pet2rep_core.vlm.local_weights import LoadedModels
from pet2rep_core.vlm.request import Request
from tests.tiny_models import pictures, sized_qwen, tiny_request, twin_row

GOAL = 1.03


def bare(model: Any, processor: Any, request: Request) -> str:
    """Ask as the documentation of transformers shows it."""
    import torch
    from PIL import Image

    parts: list[dict[str, Any]] = [
        {"type": "image", "image": Image.open(io.BytesIO(one.png)).convert("RGB")} for one in request.pictures
    ]
    chat = [
        {"role": "system", "content": [{"type": "text", "text": request.system}]},
        {"role": "user", "content": [*parts, {"type": "text", "text": request.user}]},
    ]
    inputs = processor.apply_chat_template(
        chat, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
    ).to(model.device, dtype=model.dtype)
    torch.manual_seed(request.options.seed or 0)
    with torch.inference_mode():
        everything = model.generate(
            **inputs, do_sample=True, temperature=0.7, top_k=50, top_p=1.0, repetition_penalty=1.0,
            max_new_tokens=request.options.max_new_tokens,
        )  # fmt: skip
    new = everything[0, inputs["input_ids"].shape[1] :]
    return str(processor.tokenizer.decode(new, skip_special_tokens=True)).strip()


def main() -> int:
    parser = argparse.ArgumentParser(description="Benchmark of the in-process path.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="")
    args = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    torch.set_num_threads(1)
    clock = time.process_time if args.device == "cpu" else time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        sized_qwen(Path(folder), hidden=args.hidden, layers=args.layers)
        adapter = TransformersAdapter(
            twin_row("qwen2_5_vl", Path(folder)), Setup(args.device, args.dtype), LoadedModels()
        )
        request = tiny_request(max_new_tokens=args.tokens, temperature=0.7)
        adapter.ask(request, cancelled=lambda: False)
        loaded = adapter._loaded
        assert loaded is not None
        parameters = sum(one.numel() for one in loaded.model.parameters())
        pieces: list[str] = []
        sides: dict[str, Callable[[], str]] = {
            "bare generate": lambda: bare(loaded.model, loaded.processor, request),
            "ours": lambda: adapter.ask(request, cancelled=lambda: False).text,
            "ours, with its text as it comes": lambda: (
                adapter.ask(request, on_text=pieces.append, cancelled=lambda: False).text
            ),
        }
        took: dict[str, list[float]] = {name: [] for name in sides}
        texts = set()
        for _ in range(args.rounds):
            for name, side in sides.items():
                began = clock()
                texts.add(side())
                took[name].append(clock() - began)
        adapter.close()
    print(
        f"{parameters / 1e6:.0f} million weights in {loaded.engine['dtype']} on {loaded.device}, {len(pictures())} "
        f"pictures, {args.tokens} new tokens, median of {args.rounds}"
    )
    ratios = {}
    for name, seconds in took.items():
        # each round's own pair: a busy machine troubles both
        pairs = [mine / theirs for mine, theirs in zip(seconds, took["bare generate"], strict=True)]
        ratios[name] = statistics.median(pairs)
        rate = args.tokens / statistics.median(seconds)
        print(f"  {name:32} {statistics.median(seconds):7.3f} s  {rate:7.1f} tokens/s  ratio {ratios[name]:.3f}")
    print(f"  the same text: {'yes' if len(texts) == 1 else 'NO'}; goal: a ratio of at most {GOAL}")
    return 0 if len(texts) == 1 and ratios["ours"] <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
