"""A checkpoint on disk: sharded safetensors, memory-mapped, read tensor by tensor by official names.

A tensor is looked at when it is asked for, so that nothing is in memory twice. What nobody asked for is named
at the end: a weight that is not used is a model that is not the one on disk.
"""

from pathlib import Path
from typing import Protocol, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from local_model.errors import WeightsError
from local_model.names import Naming, fused_expert, name_in, naming_of
from local_model.out_of_memory import memory_for
from local_model.quantization import FP4_BLOCK, FP8_BLOCK, Fp4, Fp8, Matrix, Plain
from local_model.safetensors_header import SINGLE, stored_tensors

FLOATS = (torch.float32, torch.bfloat16, torch.float16)


class _Slice(Protocol):
    def __getitem__(self, index: int) -> Tensor: ...


class _Shard(Protocol):
    """What we use of an open safetensors file, whose own methods have no types."""

    def get_tensor(self, name: str) -> Tensor: ...

    def get_slice(self, name: str) -> _Slice: ...


class Checkpoint:
    """The tensors of one folder. Raises WeightsError with the file and the tensor that are wrong."""

    def __init__(self, folder: Path, device: str, dtype: torch.dtype) -> None:
        self.folder = folder
        self.device = device
        self.dtype = dtype
        self._stored = stored_tensors(folder)
        self._files = {path: _open(path) for path in sorted({each.path for each in self._stored.values()})}
        naming = naming_of(set(self._stored))
        if naming is None:
            raise WeightsError(
                f"{folder}: no embed.weight and no model.embed_tokens.weight; this is no V4 checkpoint"
            )
        self.naming = naming
        self._asked: set[str] = set()

    def has(self, official: str) -> bool:
        """Whether there is such a tensor."""
        return name_in(self.naming, official) in self._stored

    def beginning(self, prefix: str) -> frozenset[str]:
        """The tensors whose own name begins so."""
        return frozenset(name for name in self._stored if name.startswith(prefix))

    def unused(self) -> list[str]:
        """The tensors that nobody has asked for, by their own names."""
        return sorted(set(self._stored) - self._asked)

    def vector(self, official: str, *shape: int) -> Tensor:
        """Norms, biases, sinks and the like, float32, of a shape that is known."""
        return self._moved(official, self._floats(official, shape), torch.float32)

    def table(self, official: str, *shape: int) -> Tensor:
        """Whole numbers, int64."""
        tensor = self._tensor(official, shape)
        if tensor.dtype not in (torch.int32, torch.int64):
            raise self._error(official, f"is {_word(tensor)}; it must be int32 or int64")
        return self._moved(official, tensor, torch.int64)

    def rows(self, official: str, *shape: int) -> Tensor:
        """A matrix that is looked up in, in the model's dtype."""
        return self._moved(official, self._floats(official, shape), self.dtype)

    def matrix(self, official: str, out: int, width: int, *, dtype: torch.dtype | None = None) -> Matrix:
        """Weights [out, width] as they lie on disk; plain ones in `dtype`, the model's if None."""
        fused = self._fused(official, out, width)
        if fused is not None:
            return Plain(self._moved(official, fused, dtype or self.dtype))
        weight = self._tensor(official)
        if weight.dtype in FLOATS:
            self._check_shape(official, weight, (out, width))
            return Plain(self._moved(official, weight, dtype or self.dtype))
        scale_name = official.removesuffix("weight") + "scale"
        if weight.dtype == torch.float8_e4m3fn:
            self._check_shape(official, weight, (out, width))
            scale = self._scale(scale_name, -(-out // FP8_BLOCK), -(-width // FP8_BLOCK))
            return Fp8(self._moved(official, weight, weight.dtype), scale)
        if weight.dtype in (torch.int8, torch.uint8):
            if width % FP4_BLOCK:
                raise self._error(
                    official, f"is packed FP4, whose rows of {width} are no multiple of {FP4_BLOCK}"
                )
            self._check_shape(official, weight, (out, width // 2))
            scale = self._scale(scale_name, out, width // FP4_BLOCK)
            return Fp4(self._moved(official, weight, weight.dtype), scale)
        raise self._error(
            official, f"is {_word(weight)}; known are float32, bfloat16, float16, FP8 e4m3 and packed FP4"
        )

    def stored_dtype(self, official: str) -> str:
        """How a tensor's elements lie on disk, in the words of safetensors: F32, BF16, F8_E4M3, I8, ..."""
        place = fused_expert(official) if self.naming is Naming.TRANSFORMERS else None
        name = place[0] if place and place[0] in self._stored else name_in(self.naming, official)
        if name not in self._stored:
            raise WeightsError(f"{self.folder}: the tensor {name} is missing")
        self._asked.add(name)
        return self._stored[name].dtype

    def stored(self, official: str, shape: tuple[int, ...] | None = None) -> Tensor:
        """A tensor as it lies on disk; of any shape if None is said."""
        return self._tensor(official, shape)

    def _fused(self, official: str, out: int, width: int) -> Tensor | None:
        place = fused_expert(official) if self.naming is Naming.TRANSFORMERS else None
        if place is None or place[0] not in self._stored:
            return None
        name, number, which = place
        shape = self._stored[name].shape
        rows = out if which == "w2" else 2 * out
        if len(shape) != 3 or shape[1:] != (rows, width) or number >= shape[0]:
            raise WeightsError(
                f"{self._where(name)} is {list(shape)}; expert {number} must be [{rows}, {width}]"
            )
        one = self._slice(name)[number]
        return one[out:] if which == "w3" else one[:out]

    def _scale(self, official: str, *shape: int) -> Tensor:
        scale = self._tensor(official, shape)
        if scale.dtype not in (torch.float8_e8m0fnu, *FLOATS):
            raise self._error(official, f"is {_word(scale)}; a scale is ue8m0 or a float")
        return self._moved(official, scale, scale.dtype)

    def _moved(self, official: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
        """A tensor where the model is, in the dtype that it has there: a copy only where one of them is another."""
        if tensor.device.type == self.device and tensor.dtype == dtype:
            return tensor
        with memory_for(self._where(name_in(self.naming, official))):
            return tensor.to(self.device, dtype)

    def _floats(self, official: str, shape: tuple[int, ...]) -> Tensor:
        tensor = self._tensor(official, shape)
        if tensor.dtype not in FLOATS:
            raise self._error(official, f"is {_word(tensor)}; it must be float32, bfloat16 or float16")
        return tensor

    def _tensor(self, official: str, shape: tuple[int, ...] | None = None) -> Tensor:
        name = name_in(self.naming, official)
        if name not in self._stored:
            raise WeightsError(f"{self.folder}: the tensor {name} is missing")
        self._asked.add(name)
        try:
            with memory_for(self._where(name)):
                tensor = self._files[self._stored[name].path].get_tensor(name)
        except (SafetensorError, RuntimeError, OSError) as error:
            raise WeightsError(f"{self._where(name)} cannot be read: {error}") from error
        if shape is not None:
            self._check_shape(official, tensor, shape)
        return tensor

    def _slice(self, name: str) -> _Slice:
        self._asked.add(name)
        return self._files[self._stored[name].path].get_slice(name)

    def _check_shape(self, official: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
        if tuple(tensor.shape) != shape:
            raise self._error(official, f"is {list(tensor.shape)}; config.json makes it {list(shape)}")

    def _error(self, official: str, what: str) -> WeightsError:
        return WeightsError(f"{self._where(name_in(self.naming, official))} {what}")

    def _where(self, name: str) -> str:
        path = self._stored[name].path if name in self._stored else self.folder / SINGLE
        return f"{path}: {name}"


def _open(path: Path) -> _Shard:
    try:
        with memory_for(str(path)):
            return cast("_Shard", safe_open(path, framework="pt"))
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no whole safetensors file: {error}; fetch it again") from error


def _word(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
