"""Weights on this machine, judged before they are loaded: whether they are there, whole, and of the right format.

Nothing here imports torch or asks the network. transformers itself loads a checkpoint of the wrong format without a
word and fills what is missing with random numbers, so a folder is read first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pet2rep_core.errors import ModelUnavailableError
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.request import Finding, Severity

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder with weights that can be loaded.

    Parameters
    ----------
    revision : str
        Commit of the hub, where the folder is of its cache.
    window : int or None
        Tokens that its positions reach, where ``config.json`` says so.
    weight_bytes, value_bytes : int
        Size of the weights on the disk, and of one number in them, 0 where they are quantised.
    """

    folder: Path
    revision: str
    window: int | None
    weight_bytes: int
    value_bytes: int

    def memory_bytes(self, value_bytes: int) -> int:
        """Return what the weights take in memory with numbers of a size; quantised ones stay as they are."""
        return self.weight_bytes * value_bytes // self.value_bytes if self.value_bytes else self.weight_bytes


def is_local_path(repo: str) -> bool:
    """Tell whether a repository is written as a folder of this machine and not as a name of the hub."""
    name = Path(repo)
    return repo.startswith(("/", "~", ".", "\\")) or name.is_absolute() or repo.count("/") != 1 or name.exists()


def find_checkpoint(row: ModelRow) -> Checkpoint:
    """Return the folder of a model's weights: the one that the row names, or that of the hub's cache.

    Raises
    ------
    ModelUnavailableError
        If it is not there, is incomplete, or is of another format than the family's.
    """
    folder = _own_folder(row) if is_local_path(row.repo) else _cached_folder(row)
    config = _read_config(row, folder)
    _require_architecture(row, config)
    _require_shards(row, folder)
    found = [path for pattern in _WEIGHTS for path in folder.glob(pattern)]
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    window = text.get("max_position_embeddings") if text else None
    dtype = config.get("dtype") or config.get("torch_dtype") or (text or {}).get("dtype") or "bfloat16"
    return Checkpoint(
        folder,
        folder.name if folder.parent.name == "snapshots" else "",
        window if isinstance(window, int) and window > 0 else None,
        sum(path.stat().st_size for path in found),
        0 if "quantization_config" in config else _BYTES.get(str(dtype), 2),
    )


def check_checkpoint(row: ModelRow) -> tuple[Checkpoint | None, list[Finding]]:
    """Return a model's weights, or None and the finding that says why they cannot be used."""
    try:
        return find_checkpoint(row), []
    except ModelUnavailableError as error:
        return None, [Finding(Severity.ERROR, error.message, error.hint)]


def _own_folder(row: ModelRow) -> Path:
    folder = Path(row.repo).expanduser()
    if folder.is_file():
        raise ModelUnavailableError(
            f"The weights of {row.id!r} are given as the file {folder.name!r}.",
            hint="Give the folder that holds config.json; single files such as GGUF run in a server, not in-process.",
        )
    if not folder.is_dir():
        raise ModelUnavailableError(
            f"The folder {row.repo!r} with the weights of {row.id!r} is not there.",
            hint="Correct repo in the row of this model.",
        )
    return folder


def _cached_folder(row: ModelRow) -> Path:
    """Return the folder of the hub's cache on this machine; the network is not asked."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only who runs a model in-process needs it
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415 - same

    try:
        return Path(snapshot_download(row.repo, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise ModelUnavailableError(
            f"The weights of {row.id!r} are not on this machine.",
            hint=f"{row.gate}; then: hf download {row.repo}"
            if row.gate
            else f"Download them with: hf download {row.repo}",
        ) from error
    except HFValidationError as error:
        raise ModelUnavailableError(
            f"{row.repo!r} is neither a folder nor a repository of the hub.",
            hint="Correct repo in the row of this model.",
        ) from error


def _read_config(row: ModelRow, folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if (folder / "adapter_config.json").is_file():
            raise ModelUnavailableError(
                f"The folder {folder.name!r} of {row.id!r} holds an adapter (LoRA), not whole weights.",
                hint="Merge the adapter into its base model and save that, or serve it with vLLM.",
            ) from error
        inside = sorted(one.parent.name for one in folder.glob("*/config.json"))
        raise ModelUnavailableError(
            f"The folder {folder.name!r} of {row.id!r} has no config.json.",
            hint=f"Did you mean the folder {inside[0]!r} in it?"
            if inside
            else "Give the folder that holds the weights.",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelUnavailableError(
            f"The config.json of {row.id!r} cannot be read.", hint="Download the weights again."
        ) from error
    if not isinstance(content, dict):
        raise ModelUnavailableError(
            f"The config.json of {row.id!r} cannot be read.", hint="Download the weights again."
        )
    return content


def _require_architecture(row: ModelRow, config: dict[str, Any]) -> None:
    """Refuse weights that transformers would read as another model, or as random numbers."""
    said = config.get("architectures")
    names = [str(one) for one in said] if isinstance(said, list) else []
    if set(names) & set(row.family.architectures):
        return
    shown = names[0] if names else str(config.get("model_type", "nothing"))
    raise ModelUnavailableError(
        f"The weights of {row.id!r} are of the format {shown}, not {row.family.architectures[0]}.",
        hint="Use weights in the format of transformers (many are named -hf), or serve these with their own engine and "
        "choose the route openai.",
    )


def _require_shards(row: ModelRow, folder: Path) -> None:
    wanted: set[str] = set()
    for name in _INDEXES:
        try:
            index = json.loads((folder / name).read_text(encoding="utf-8"))
            wanted = {str(file) for file in index["weight_map"].values()}
            break
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelUnavailableError(
                f"The list of weights {name} of {row.id!r} cannot be read.", hint="Download the weights again."
            ) from error
    missing = sorted(file for file in wanted if not _is_whole(folder / file))
    if missing:
        raise ModelUnavailableError(
            f"{len(missing)} of {len(wanted)} files with the weights of {row.id!r} are missing, such as {missing[0]}.",
            hint="Copy the whole folder again."
            if is_local_path(row.repo)
            else f"Download them again with: hf download {row.repo}",
        )
    if not wanted and not any(_is_whole(path) for pattern in _WEIGHTS for path in folder.glob(pattern)):
        raise ModelUnavailableError(
            f"The folder of {row.id!r} has no weights.",
            hint="Copy the whole folder again."
            if is_local_path(row.repo)
            else f"Download them again with: hf download {row.repo}",
        )


def _is_whole(path: Path) -> bool:
    """Tell whether a file is there and is no pointer that Git LFS left in its place."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return False
    return bool(start) and not start.startswith(b"version https://git-lfs")
