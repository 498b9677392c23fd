"""Tiny vision-language models with random weights, one of each family, built and saved without a network.

Each has a byte-level tokenizer trained on a few sentences, a processor with small pictures, and two layers. They are
loaded by the program's own code as real weights are; only the numbers in them are random.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.request import Options, Picture, Request

SYSTEM = "你是一位经验丰富的核医学科医师，擅长结合PET图像和临床信息撰写诊断报告。"
USER = "请根据提供的全身FDG-PET/CT图像，按照结构化格式生成核医学报告。脑形态、结构[正常]，FDG【摄取未见明显异常】。"
_SENTENCES = [SYSTEM, USER, "肝脏、胰腺、脾脏、双肾形态大小正常，FDG摄取未见异常。骨质密度不均匀减低。"] * 4
_TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 8192,
}  # fmt: skip
_PICTURE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
_CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}{% if c['type']=='image' %}PICTURE"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_VICUNA = (
    "{% for m in messages %}{% if m['role']=='system' %}{{ m['content'][0]['text'] }} {% else %}USER: "
    "{% for c in m['content'] %}{% if c['type']=='image' %}<image>\n{% endif %}{% endfor %}"
    "{% for c in m['content'] %}{% if c['type']=='text' %}{{ c['text'] }} {% endif %}{% endfor %}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
# As LLaVA-Med's: no system role at all.
_INSTRUCT = (
    "{{ bos_token }}{% for m in messages %}{% if m['role']=='system' %}{{ raise_exception('No system role.') }}"
    "{% else %}[INST] {% for c in m['content'] %}{% if c['type']=='image' %}<image>\n{% else %}{{ c['text'] }}"
    "{% endif %}{% endfor %} [/INST]{% endif %}{% endfor %}"
)
_GEMMA = (
    "{{ bos_token }}{% set first = '' %}{% if messages[0]['role']=='system' %}"
    "{% set first = messages[0]['content'][0]['text'] + '\n\n' %}{% set messages = messages[1:] %}{% endif %}"
    "{% for m in messages %}<start_of_turn>{{ m['role'] }}\n{{ first if loop.first else '' }}"
    "{% for c in m['content'] %}{% if c['type']=='image' %}<start_of_image>{% else %}{{ c['text'] | trim }}{% endif %}"
    "{% endfor %}<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
_DEEPSEEK = (
    "{% for m in messages %}{% if m['role']=='system' %}{{ m['content'][0]['text'] }}\n\n{% else %}User: "
    "{% for c in m['content'] %}{% if c['type']=='image' %}<image_placeholder>{% else %}{{ c['text'] }}{% endif %}"
    "{% endfor %}\n\n{% endif %}{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
_QWEN_MARKS = "<|vision_start|><|image_pad|><|vision_end|>"
Built = tuple[Any, Any]


def _tokenizer(marks: list[str], *, bos: str | None, eos: str, pad: str, named: dict[str, str] | None = None) -> Any:
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(unk_token=None))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        _SENTENCES,
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=marks, show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )  # fmt: skip
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=bos, eos_token=eos, pad_token=pad, model_max_length=8192, padding_side="left",
        **({"extra_special_tokens": named} if named else {}),
    )  # fmt: skip


def _part(name: str) -> Any:
    """Return a processor of pictures that runs on Pillow where torchvision is missing."""
    import transformers

    try:
        import torchvision  # noqa: F401
    except ImportError:
        return getattr(transformers, f"{name}Pil")
    return getattr(transformers, name)


def _image_only(name: str) -> Any:
    import transformers

    stock = getattr(transformers, name)

    def get_attributes(_cls: type) -> list[str]:
        return [one for one in stock.get_attributes() if one != "video_processor"]

    return type(name, (stock,), {"get_attributes": classmethod(get_attributes)})


def _ids(tokenizer: Any) -> dict[str, Any]:
    return {
        "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id, "vocab_size": len(tokenizer),
    }  # fmt: skip


def _qwen(family: str, text: dict[str, Any], vision: dict[str, Any], side: int, sections: list[int]) -> Built:
    import transformers

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
             "<|image_pad|>", "<|video_pad|>"]  # fmt: skip
    tokenizer = _tokenizer(marks, bos=None, eos="<|im_end|>", pad="<|endoftext|>")
    pictures = _part("Qwen2VLImageProcessor")(
        patch_size=side // 2, merge_size=2, size={"shortest_edge": side**2, "longest_edge": side**2 * 16}
    )
    # the mixture of experts has no processor of its own
    base = family.removesuffix("Moe")
    template = _CHATML.replace("PICTURE", _QWEN_MARKS)
    processor = _image_only(f"{base}Processor")(pictures, tokenizer, chat_template=template)
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections}
    if base == "Qwen3VL":
        rope["mrope_interleaved"] = True
    number = tokenizer.convert_tokens_to_ids
    config = getattr(transformers, f"{family}Config")(
        text_config={**_TEXT, **_ids(tokenizer), "rope_parameters": rope, **text}, vision_config=vision,
        image_token_id=number("<|image_pad|>"), video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"), vision_end_token_id=number("<|vision_end|>"),
    )  # fmt: skip
    return processor, getattr(transformers, f"{family}ForConditionalGeneration")(config)


def qwen2_vl() -> Built:
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2}
    return _qwen("Qwen2VL", {}, vision, 28, [1, 1, 2])


def qwen2_5_vl() -> Built:
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "out_hidden_size": 32,
        "window_size": 112, "fullatt_block_indexes": [1],
    }  # fmt: skip
    return _qwen("Qwen2_5_VL", {}, vision, 28, [1, 1, 2])


_QWEN3_VISION = {
    "depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "out_hidden_size": 32, "patch_size": 16,
    "num_position_embeddings": 64, "deepstack_visual_indexes": [0],
}  # fmt: skip


def qwen3_vl() -> Built:
    return _qwen("Qwen3VL", {"head_dim": 8}, _QWEN3_VISION, 32, [2, 1, 1])


def qwen3_vl_moe() -> Built:
    text = {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    return _qwen("Qwen3VLMoe", text, _QWEN3_VISION, 32, [2, 1, 1])


def internvl() -> Built:
    import transformers

    named = {
        "start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }  # fmt: skip
    tokenizer = _tokenizer(
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *named.values()], bos=None, eos="<|im_end|>",
        pad="<|endoftext|>", named=named,
    )  # fmt: skip
    pictures = _part("GotOcr2ImageProcessor")(
        size={"height": 56, "width": 56}, crop_to_patches=True, min_patches=1, max_patches=4
    )
    processor = _image_only("InternVLProcessor")(
        pictures, tokenizer, image_seq_length=4, chat_template=_CHATML.replace("PICTURE", "<IMG_CONTEXT>\n")
    )
    config = transformers.InternVLConfig(
        text_config={**_TEXT, **_ids(tokenizer), "model_type": "qwen2"},
        vision_config={**_PICTURE, "image_size": [56, 56], "patch_size": [14, 14]},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"), image_seq_length=4, downsample_ratio=0.5,
    )  # fmt: skip
    return processor, transformers.InternVLForConditionalGeneration(config)


def _llava_parts(template: str) -> tuple[Any, dict[str, Any]]:
    tokenizer = _tokenizer(
        ["<unk>", "<s>", "</s>", "<pad>", "<image>"], bos="<s>", eos="</s>", pad="<pad>",
        named={"image_token": "<image>"},
    )  # fmt: skip
    return tokenizer, {
        "patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1,
        "chat_template": template,
    }  # fmt: skip


_CLIP = {**_PICTURE, "model_type": "clip_vision_model", "image_size": 28, "patch_size": 14, "projection_dim": 16}


def llava(language_model: str = "llama", template: str = _VICUNA) -> Built:
    import transformers

    tokenizer, settings = _llava_parts(template)
    pictures = _part("LlavaImageProcessor")(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    config = transformers.LlavaConfig(
        text_config={**_TEXT, **_ids(tokenizer), "model_type": language_model}, vision_config=_CLIP,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"), image_seq_length=4,
    )  # fmt: skip
    return transformers.LlavaProcessor(pictures, tokenizer, **settings), transformers.LlavaForConditionalGeneration(
        config
    )


def llava_mistral() -> Built:
    """Return the architecture of LLaVA-Med's conversion, with a template that has no system role."""
    return llava("mistral", _INSTRUCT)


def llava_next() -> Built:
    import transformers

    tokenizer, settings = _llava_parts(_VICUNA)
    shapes = [[28, 56], [56, 28], [56, 56]]
    pictures = _part("LlavaNextImageProcessor")(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}, image_grid_pinpoints=shapes
    )
    config = transformers.LlavaNextConfig(
        text_config={**_TEXT, **_ids(tokenizer), "model_type": "mistral"}, vision_config=_CLIP,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"), image_grid_pinpoints=shapes, image_seq_length=4,
    )  # fmt: skip
    processor = transformers.LlavaNextProcessor(pictures, tokenizer, **settings)
    return processor, transformers.LlavaNextForConditionalGeneration(config)


def gemma3() -> Built:
    import torch
    import transformers

    named = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    tokenizer = _tokenizer(
        ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", *named.values()],
        bos="<bos>", eos="<eos>", pad="<pad>", named=named,
    )  # fmt: skip
    pictures = _part("Gemma3ImageProcessor")(size={"height": 56, "width": 56})
    processor = transformers.Gemma3Processor(pictures, tokenizer, image_seq_length=4, chat_template=_GEMMA)
    number = tokenizer.convert_tokens_to_ids
    config = transformers.Gemma3Config(
        text_config={
            **_TEXT, **_ids(tokenizer), "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 64,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        vision_config={**_PICTURE, "model_type": "siglip_vision_model", "image_size": 56, "patch_size": 14,
                       "vision_use_head": False},
        mm_tokens_per_image=4, boi_token_index=number("<start_of_image>"), eoi_token_index=number("<end_of_image>"),
        image_token_index=number("<image_soft_token>"),
    )  # fmt: skip
    model = transformers.Gemma3ForConditionalGeneration(config)
    # transformers starts this matrix with zeros: pictures would have no effect
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight.data, std=0.5)
    return processor, model


def _deepseek(name: str, settings: dict[str, Any], config: dict[str, Any]) -> Built:
    import transformers

    tokenizer = _tokenizer(
        ["<s>", "</s>", "<pad>", "<image_placeholder>"], bos="<s>", eos="</s>", pad="<pad>",
        named={"image_token": "<image_placeholder>"},
    )  # fmt: skip
    pictures = _part(f"{name}ImageProcessor")(size={"height": 64, "width": 64}, min_size=14, **settings)
    processor = getattr(transformers, f"{name}Processor")(
        pictures, tokenizer, num_image_tokens=16, chat_template=_DEEPSEEK
    )
    whole = getattr(transformers, f"{name}Config")(
        text_config={**_TEXT, **_ids(tokenizer), "model_type": "llama"},
        vision_config={**_PICTURE, "model_type": "siglip_vision_model", "image_size": 64, "patch_size": 16,
                       "vision_use_head": False},
        image_token_id=tokenizer.convert_tokens_to_ids("<image_placeholder>"), **config,
    )  # fmt: skip
    return processor, getattr(transformers, f"{name}ForConditionalGeneration")(whole)


def deepseek_vl() -> Built:
    return _deepseek("DeepseekVL", {}, {})


def deepseek_vl_hybrid() -> Built:
    high = {
        "model_type": "sam_vision_model", "hidden_size": 32, "mlp_dim": 48, "output_channels": 16,
        "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 128, "patch_size": 16, "window_size": 4,
        "global_attn_indexes": [1], "num_pos_feats": 8,
    }  # fmt: skip
    return _deepseek(
        "DeepseekVLHybrid", {"high_res_size": {"height": 128, "width": 128}}, {"high_res_vision_config": high}
    )


TWINS: dict[str, Callable[[], Built]] = {
    "qwen2_vl": qwen2_vl, "qwen2_5_vl": qwen2_5_vl, "qwen3_vl": qwen3_vl, "qwen3_vl_moe": qwen3_vl_moe,
    "internvl": internvl, "llava": llava, "llava_mistral": llava_mistral, "llava_next": llava_next, "gemma3": gemma3,
    "deepseek_vl": deepseek_vl, "deepseek_vl_hybrid": deepseek_vl_hybrid,
}  # fmt: skip
ROW_OF = {
    "qwen2_vl": "medvlm-r1", "qwen2_5_vl": "lingshu-7b", "qwen3_vl": "qwen3-vl-8b", "qwen3_vl_moe": "qwen3-vl-30b-a3b",
    "internvl": "internvl3-8b", "llava": "llava-1.5-7b", "llava_mistral": "llava-med-1.5",
    "llava_next": "llava-1.6-mistral-7b", "gemma3": "medgemma-4b", "deepseek_vl": "deepseek-vl-1.3b",
    "deepseek_vl_hybrid": "deepseek-vl-7b",
}  # fmt: skip
"""A row of the catalog that each twin stands for."""


def save_twin(name: str, folder: Path, seed: int = 0) -> Path:
    """Build a tiny model and save it as a checkpoint."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        processor, model = TWINS[name]()
    model.eval()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def sized_qwen(folder: Path, *, hidden: int, layers: int, seed: int = 0) -> Path:
    """Build Qwen2.5-VL of a size with random weights and a small vocabulary, and save it as a checkpoint."""
    import torch

    heads = hidden // 128
    text = {
        "hidden_size": hidden, "intermediate_size": hidden * 5, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": max(1, heads // 7),
    }  # fmt: skip
    vision = {
        "depth": 4, "hidden_size": 320, "intermediate_size": 640, "num_heads": 4, "out_hidden_size": hidden,
        "fullatt_block_indexes": [3],
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        processor, model = _qwen("Qwen2_5_VL", text, vision, 28, [16, 24, 24])
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def twin_row(name: str, folder: Path) -> ModelRow:
    """Return the row that a twin stands for, with the twin's folder as its weights."""
    return replace(read_catalog().row(ROW_OF[name]), repo=str(folder))


def set_key(folder: Path, key: str, value: Any, file: str = "config.json") -> None:
    """Change a key of a checkpoint's JSON file; ``a.b`` goes into a table, None takes the key out."""
    path = folder / file
    content = json.loads(path.read_text(encoding="utf-8"))
    *tables, last = key.split(".")
    at = content
    for table in tables:
        at = at[table]
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    path.write_text(json.dumps(content), encoding="utf-8")


def as_on_the_hub(folder: Path) -> Path:
    """Rewrite a checkpoint as the published ones are, which older versions of transformers saved.

    Pictures' settings stand in ``preprocessor_config.json``, the template in ``chat_template.json``; Qwen's language
    model has its settings at the top, and CLIP's and SigLIP's weights have one name more in their path.
    """
    from safetensors.torch import load_file, save_file

    processor, config = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("processor_config.json", "config.json")
    )
    pictures = {**processor.pop("image_processor"), "processor_class": processor["processor_class"]}
    config["torch_dtype"] = config.pop("dtype")
    if config["model_type"].startswith("qwen"):
        size = pictures.pop("size")
        pictures |= {"min_pixels": size["shortest_edge"], "max_pixels": size["longest_edge"]}
        text = config.pop("text_config")
        rope = text.pop("rope_parameters")
        config = {**{k: v for k, v in text.items() if k not in ("layer_types", "model_type")}, **config}
        config |= {
            "rope_theta": rope["rope_theta"],
            "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]},
        }
        config["vision_config"].pop("rope_parameters", None)
        (folder / "processor_config.json").unlink()
    else:
        (folder / "processor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    if config["model_type"] in ("llava", "llava_next", "gemma3"):
        path = folder / "model.safetensors"
        renamed = {k.replace("vision_tower.", "vision_tower.vision_model."): v for k, v in load_file(path).items()}
        save_file(renamed, path, metadata={"format": "pt"})
    if config["model_type"] == "llava":
        pictures["image_processor_type"] = "CLIPImageProcessor"
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures), encoding="utf-8")
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}), encoding="utf-8")
    (folder / "chat_template.jinja").unlink()
    return folder


@cache
def _noise(seed: int, width: int, height: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def pictures(count: int = 3, *, first_seed: int = 0, width: int = 200, height: int = 219) -> tuple[Picture, ...]:
    """Return noise of the size of the paper's slices."""
    return tuple(Picture(_noise(first_seed + n, width, height), f"fused {n + 1}", width, height) for n in range(count))


def tiny_request(
    *, system: str = SYSTEM, user: str = USER, count: int = 3, first_seed: int = 0, **options: Any
) -> Request:
    """Return a request of the size of the paper's, with eight new tokens unless said otherwise."""
    return Request(system, user, pictures(count, first_seed=first_seed), Options(**{"max_new_tokens": 8} | options))
