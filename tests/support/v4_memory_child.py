"""Loads a checkpoint again and again, each time with more address space, until it has enough.

Arguments: its folder, a dtype, and for a native step of it, too, where that is built. Out: a line a time, `WeightsError ...`, `NoNativeStepError ...`, or `loaded`.
"""

import resource
import sys
from pathlib import Path

import torch

from local_model import load_model
from local_model.errors import LocalModelError
from local_model.native_build import native_library
from local_model.native_step import NativeStep

STEP = 6 << 20


def _run(folder: Path, dtype: torch.dtype, builds: Path | None) -> None:
    torch.set_num_threads(1)
    library = native_library(builds) if builds else None
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    for more in range(0, 1 << 30, STEP):
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + more, hard))
        try:
            model = load_model(folder, dtype=dtype)
            if library is not None:
                NativeStep(model, 1, library=library)
            said = "loaded"
        except LocalModelError as error:
            said = f"{type(error).__name__} {error}"
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        sys.stdout.write(f"{said}\n")
        if said == "loaded":
            return


if __name__ == "__main__":
    _run(Path(sys.argv[1]), getattr(torch, sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
