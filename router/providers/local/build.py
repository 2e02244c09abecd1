"""Make an engine from its settings; the one place that knows which kinds there are."""

from dataclasses import dataclass
from enum import StrEnum

from router.providers.local.engine import LocalEngine
from router.providers.local.gguf import GgufEngine


class EngineKind(StrEnum):
    """What runs a model on this machine."""

    GGUF = "gguf"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One local model. `context_window` is tokens a slot."""

    kind: EngineKind
    weights: str
    context_window: int
    slots: int
    threads: int


def build_engine(settings: EngineSettings) -> LocalEngine:
    """Make the engine; it starts at `load`."""
    match settings.kind:
        case EngineKind.GGUF:
            return GgufEngine(
                settings.weights,
                context_window=settings.context_window,
                slots=settings.slots,
                threads=settings.threads,
            )
