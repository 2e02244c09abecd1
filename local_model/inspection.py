"""What a checkpoint on disk is: its tensors against its configuration, by kind, without reading a weight."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_model.config import V4Config, read_config
from local_model.errors import WeightsError
from local_model.footprint import FP4_BLOCK, FP8_BLOCK, Footprint, footprint_of
from local_model.names import Naming, drafts_among, fused_expert, name_in, naming_of
from local_model.safetensors_header import StoredTensor, stored_tensors
from local_model.tensors import Storage, TensorSpec, tensors_of

FLOATS = ("F32", "BF16", "F16")
SCALES = ("F8_E8M0", *FLOATS)


@dataclass(frozen=True, slots=True)
class Kind:
    """Tensors of one dtype on disk."""

    dtype: str
    tensors: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """A checkpoint, seen from its headers."""

    config: V4Config
    naming: Naming
    files: int
    kinds: tuple[Kind, ...]
    """Largest first."""
    footprint: Footprint
    """Of these dimensions as DeepSeek would release them."""
    about_drafts: str
    problems: tuple[str, ...]
    """What keeps it from being loaded, each with file and tensor."""

    @property
    def nbytes(self) -> int:
        """Of all tensors on disk."""
        return sum(kind.nbytes for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class _Expected:
    """A tensor that must be on disk."""

    name: str
    shape: tuple[int, ...]
    dtypes: tuple[str, ...]


def inspect_checkpoint(folder: Path) -> Inspection:
    """Raises ConfigError for what config.json says, WeightsError for a file that is no checkpoint's."""
    config = read_config(folder)
    stored = stored_tensors(folder)
    naming = naming_of(set(stored))
    if naming is None:
        raise WeightsError(
            f"{folder}: no embed.weight and no model.embed_tokens.weight; this is no V4 checkpoint"
        )
    has_mtp, about_drafts = drafts_among([name for name in stored if name.startswith("mtp.")])
    return Inspection(
        config,
        naming,
        len({tensor.path for tensor in stored.values()}),
        _kinds(stored.values()),
        footprint_of(config, mtp=has_mtp),
        about_drafts,
        tuple(_problems(folder, config, naming, stored, has_mtp=has_mtp)),
    )


def _kinds(stored: Iterable[StoredTensor]) -> tuple[Kind, ...]:
    counts: dict[str, tuple[int, int]] = {}
    for tensor in stored:
        count, nbytes = counts.get(tensor.dtype, (0, 0))
        counts[tensor.dtype] = count + 1, nbytes + tensor.nbytes
    kinds = [Kind(dtype, *both) for dtype, both in counts.items()]
    return tuple(sorted(kinds, key=lambda kind: -kind.nbytes))


def _problems(
    folder: Path, config: V4Config, naming: Naming, stored: Mapping[str, StoredTensor], *, has_mtp: bool
) -> Iterator[str]:
    """Tensors that are missing, of another shape or dtype, or have no place."""
    expected = {
        each.name: each
        for spec in tensors_of(config, mtp=has_mtp)
        for each in _expected(config, naming, stored, spec)
    }
    for name, one in expected.items():
        tensor = stored.get(name)
        if tensor is None:
            yield f"{folder}: the tensor {name} is missing"
        elif tensor.dtype not in one.dtypes:
            yield f"{tensor.path}: {name} is {tensor.dtype}; it must be {' or '.join(one.dtypes)}"
        elif tensor.shape != one.shape:
            yield f"{tensor.path}: {name} is {list(tensor.shape)}; config.json makes it {list(one.shape)}"
    for name in sorted(set(stored) - set(expected)):
        if not name.startswith(("mtp.", "engram.")) and ".engram." not in name:
            yield f"{stored[name].path}: {name} has no place in the model of config.json"


def _expected(
    config: V4Config, naming: Naming, stored: Mapping[str, StoredTensor], spec: TensorSpec
) -> Iterator[_Expected]:
    """The tensors on disk that one tensor of the model is: itself, itself and its scale, or a part of a fused one."""
    fused = fused_expert(spec.name) if naming is Naming.TRANSFORMERS else None
    if fused is not None and fused[0] in stored:
        rows, width = spec.shape
        is_down = fused[2] == "w2"
        yield _Expected(fused[0], (config.experts, rows if is_down else 2 * rows, width), FLOATS)
        return
    name = name_in(naming, spec.name)
    if spec.storage is Storage.ID:
        yield _Expected(name, spec.shape, ("I32", "I64"))
    elif spec.storage is Storage.F32 or spec.name == "embed.weight":
        yield _Expected(name, spec.shape, FLOATS)
    else:
        yield from _expected_matrix(naming, stored, spec)


def _expected_matrix(
    naming: Naming, stored: Mapping[str, StoredTensor], spec: TensorSpec
) -> Iterator[_Expected]:
    name, (rows, width) = name_in(naming, spec.name), spec.shape
    scale = name_in(naming, spec.name.removesuffix("weight") + "scale")
    dtype = stored[name].dtype if name in stored else ""
    if dtype == "F8_E4M3":
        yield _Expected(name, spec.shape, (dtype,))
        yield _Expected(scale, (-(-rows // FP8_BLOCK), -(-width // FP8_BLOCK)), SCALES)
    elif dtype in ("I8", "U8"):
        yield _Expected(name, (rows, width // 2), (dtype,))
        yield _Expected(scale, (rows, width // FP4_BLOCK), SCALES)
    else:
        yield _Expected(name, spec.shape, (*FLOATS, "F8_E4M3", "I8"))
