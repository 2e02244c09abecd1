"""A V4 checkpoint under other names: DeepSeek's own, or transformers'.

Official names keep every tensor as it lies. Under transformers' names experts are fused, and FP8 and FP4 become bfloat16,
which holds every one of their numbers exactly.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from local_model.checkpoint import Checkpoint
from local_model.config import V4Config, read_config
from local_model.errors import WeightsError
from local_model.names import Naming, drafts_among, fused_expert, name_in
from local_model.safetensors_file import NewTensor, Show, write_shards
from local_model.tensors import Storage, TensorSpec, tensors_of

_QUANTIZED = ("F8_E4M3", "I8", "U8")
_BESIDE = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")
"""Files that are copied as they are."""


def rename_checkpoint(folder: Path, out: Path, naming: Naming, show: Show = lambda *_: None) -> str:
    """Write the checkpoint in `folder` to the new folder `out`; return a sentence about what is in it.

    Raises WeightsError and OSError.
    """
    config = read_config(folder)
    source = Checkpoint(folder, "cpu", torch.float32)
    if source.naming is naming:
        raise WeightsError(f"{folder} has {naming} names already")
    if config.engram is not None:
        raise WeightsError(f"{folder / 'config.json'}: engram is our own; transformers has no names for it")
    if out.exists() and any(out.iterdir()):
        raise WeightsError(f"{out} is not empty; name a new folder")
    mtp, about_drafts = drafts_among(source.beginning("mtp."))
    tensors = list(_tensors(source, config, naming, mtp=mtp))
    out.mkdir(parents=True, exist_ok=True)
    shards = write_shards(out, tensors, show)
    is_plain = not any(tensor.dtype in _QUANTIZED for tensor in tensors)
    _copy_beside(folder, out, is_plain=is_plain)
    return f"{out}: {len(tensors)} tensors under {naming} names in {shards} file(s); {about_drafts}"


def _tensors(source: Checkpoint, config: V4Config, naming: Naming, *, mtp: bool) -> Iterator[NewTensor]:
    for spec in tensors_of(config, mtp=mtp):
        place = fused_expert(spec.name) if naming is Naming.TRANSFORMERS else None
        if place is None:
            yield from _one(source, spec, naming)
        elif place[1] == 0 and place[2] != "w3":
            yield _fused(source, config, spec, place[0])


def _one(source: Checkpoint, spec: TensorSpec, naming: Naming) -> Iterator[NewTensor]:
    name, dtype = name_in(naming, spec.name), source.stored_dtype(spec.name)
    is_fused = spec.storage is Storage.EXPERT and source.naming is Naming.TRANSFORMERS
    if dtype not in _QUANTIZED:
        parts = partial(_plain, source, spec, dtype) if is_fused else partial(_stored, source, spec)
        yield NewTensor(name, dtype, spec.shape, parts)
    elif naming is Naming.TRANSFORMERS:
        yield NewTensor(name, "BF16", spec.shape, partial(_plain, source, spec, "BF16"))
    else:
        yield from _as_it_lies(source, spec.name, naming)
        yield from _as_it_lies(source, spec.name.removesuffix("weight") + "scale", naming)


def _as_it_lies(source: Checkpoint, official: str, naming: Naming) -> Iterator[NewTensor]:
    shape = tuple(source.stored(official).shape)
    spec = TensorSpec(official, shape, Storage.FP8)
    yield NewTensor(
        name_in(naming, official), source.stored_dtype(official), shape, partial(_stored, source, spec)
    )


def _fused(source: Checkpoint, config: V4Config, spec: TensorSpec, name: str) -> NewTensor:
    """All experts' `w2`, or their `w1` above their `w3`."""
    dtype = source.stored_dtype(spec.name)
    kept = "BF16" if dtype in _QUANTIZED else dtype
    rows, width = spec.shape
    is_down = name.endswith("down_proj")

    def parts() -> Iterator[bytes]:
        for number in range(config.experts):
            own = spec.name.replace(".experts.0.", f".experts.{number}.")
            for each in (own,) if is_down else (own, own.replace(".w1.", ".w3.")):
                yield from _plain(source, TensorSpec(each, spec.shape, spec.storage), kept)

    return NewTensor(name, kept, (config.experts, rows if is_down else 2 * rows, width), parts)


def _plain(source: Checkpoint, spec: TensorSpec, dtype: str) -> Iterator[bytes]:
    of_word = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[dtype]
    yield _bytes(source.matrix(spec.name, spec.shape[0], spec.shape[1], dtype=of_word).dense(of_word))


def _stored(source: Checkpoint, spec: TensorSpec) -> Iterator[bytes]:
    yield _bytes(source.stored(spec.name, spec.shape))


def _bytes(tensor: Tensor) -> bytes:
    return tensor.contiguous().view(torch.uint8).numpy().tobytes()


def _copy_beside(folder: Path, out: Path, *, is_plain: bool) -> None:
    said = json.loads((folder / "config.json").read_bytes())
    if is_plain:
        said = {
            key: value for key, value in said.items() if key not in ("quantization_config", "expert_dtype")
        }
    (out / "config.json").write_text(json.dumps(said, indent=1))
    for name in _BESIDE:
        if (folder / name).exists():
            (out / name).write_bytes((folder / name).read_bytes())
