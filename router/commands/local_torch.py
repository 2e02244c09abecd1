"""What the commands ask of torch, which is imported when they do, and may not be installed."""

from pathlib import Path

from local_model.errors import SettingsError
from router.commands.local_progress import Show


def convert_to_gguf(path: Path, out: Path, kind: str, pre: str | None, show: Show) -> str:
    """Write the GGUF file; `kind` is one of f32, f16, q8_0 and mxfp4. Raises WeightsError, SettingsError, OSError."""
    try:
        from local_model import gguf_convert
    except ImportError as error:
        raise _missing(error) from error
    return gguf_convert.convert_to_gguf(path, out, gguf_convert.TYPES[kind], pre=pre, show=show)


def rename_checkpoint(path: Path, out: Path, kind: str, show: Show) -> str:
    """Write the folder; `kind` of names is official or transformers. Raises WeightsError, SettingsError, OSError."""
    try:
        from local_model import names, renaming
    except ImportError as error:
        raise _missing(error) from error
    return renaming.rename_checkpoint(path, out, names.Naming(kind), show)


def verify_checkpoint(path: Path, show: Show) -> tuple[list[str], str]:
    """Every problem, and what was looked at. Raises WeightsError, SettingsError, OSError."""
    try:
        from local_model import verification
    except ImportError as error:
        raise _missing(error) from error
    return verification.verify_checkpoint(path, show)


def write_hashes(path: Path, show: Show) -> int:
    """Write SHA256SUMS; return how many files it names. Raises WeightsError, SettingsError, OSError."""
    try:
        from local_model import verification
    except ImportError as error:
        raise _missing(error) from error
    return verification.write_hashes(path, show)


def gpu_memories() -> list[float]:
    """GB of each GPU that torch sees; none without torch."""
    try:
        from local_model.gpus import memories
    except ImportError:
        return []
    return memories()


def _missing(error: ImportError) -> SettingsError:
    return SettingsError(f"this needs {error.name}, which is not installed: pip install 'steelyard[v4]'")
