"""A sequence's state as a file, safetensors with the model's dimensions in its header."""

from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from local_model.cache import CompressorState, Rows, SequenceState, Tail
from local_model.config import V4Config
from local_model.errors import CacheError


def save_state(state: SequenceState, config: V4Config, path: Path) -> None:
    """Write `state` to `path`, through a file beside it, so that no half of one is ever found there."""
    state.check()
    tensors: dict[str, Tensor] = {}
    for name, part in _parts(state):
        kept = part.kept if isinstance(part, Tail) else part.whole()
        if kept is not None:
            tensors[name] = kept.contiguous()
    said = {"config": repr(config), "length": str(state.length), "floor": str(state.floor)}
    said["drafts"] = str(len(state.drafts))
    beside = path.with_name(f"{path.name}.writing")
    save_file(tensors, beside, metadata=said)
    beside.replace(path)


def load_state(config: V4Config, path: Path, device: str = "cpu") -> SequenceState:
    """Read what `save_state` wrote. Raises CacheError for a file that is broken or of another model."""
    try:
        with safe_open(path, framework="pt", device=device) as file:
            said = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
    except (OSError, SafetensorError) as error:
        raise CacheError(f"{path} holds no state: {error}; compute it anew") from error
    if said.get("config") != repr(config):
        raise CacheError(f"{path} is the state of another model than this one; compute it anew")
    state = SequenceState.empty(config, drafts=int(said.get("drafts", "0")))
    state.length, state.floor = int(said["length"]), int(said["floor"])
    for name, part in _parts(state):
        if isinstance(part, Tail):
            behind = name.startswith("draft.") and state.length > 0
            part.restore(tensors.get(name), state.length - behind)
        elif name in tensors:
            part.append(tensors[name])
    return state


def _parts(state: SequenceState) -> Iterator[tuple[str, Tail | Rows]]:
    yield "lookback", state.lookback
    if state.drafts:
        yield "streams", state.streams
    for number, layer in (*enumerate(state.layers), *(("draft", layer) for layer in state.drafts)):
        for place, part in enumerate(layer.parts):
            if isinstance(part, CompressorState):
                yield f"{number}.{place}.rows", part.rows
                yield f"{number}.{place}.tail", part.tail
            else:
                yield f"{number}.{place}.window", part
