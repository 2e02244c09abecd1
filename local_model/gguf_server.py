"""llama.cpp in a process of its own: `python -m local_model.gguf_server`, settings on stdin.

xllamacpp's server listens on 127.0.0.1 itself and wants a key that only the gateway knows. One
line on stdout says that it can answer; the process ends when its standard input does, that is with
the gateway, however that ended.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import xllamacpp

from local_model.errors import LocalModelError, WeightsError
from local_model.settings import GgufSettings

NICENESS = 10
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve one model until standard input ends; 1 with one sentence on stderr if it cannot."""
    os.nice(NICENESS)
    _die_with_parent()
    try:
        settings = GgufSettings.from_line(sys.stdin.readline())
        weights = Path(settings.weights)
        _check_weights(weights)
        server = _serve(settings)
    except (LocalModelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    ready = {
        "address": server.listening_address,
        "context_window": settings.context_window,
        "fingerprint": fingerprint(weights),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    del server
    return 0


def _serve(settings: GgufSettings) -> xllamacpp.Server:
    try:
        return xllamacpp.Server(_params(settings))
    except RuntimeError as error:
        raise WeightsError(
            f"llama.cpp cannot run {settings.weights}; is the file whole? It says: {error}"
        ) from error


def fingerprint(weights: Path) -> str:
    """sha256 of the weights file, hex; kept beside it, keyed by size and time of change."""
    stat = weights.stat()
    stamp = weights.with_name(weights.name + ".sha256")
    mark = f"{stat.st_size} {stat.st_mtime_ns} "
    if stamp.is_file() and stamp.read_text().startswith(mark):
        return stamp.read_text().removeprefix(mark).strip()
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    temporary = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # a folder that cannot be written is no fault: it is hashed again
        temporary.write_text(mark + digest)
        temporary.replace(stamp)
    return digest


def _params(settings: GgufSettings) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = settings.weights
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings.api_key]
    params.n_ctx = settings.context_window * settings.slots
    params.n_parallel = settings.slots
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    params.kv_unified = False
    params.n_gpu_layers = 0
    params.cache_prompt = False  # one team's prompt must not make another's faster: that can be measured
    params.cache_ram_mib = 0
    params.endpoint_slots = False  # it would show the prompts
    params.ui = False
    params.offline = True
    params.verbosity = -1
    return params


def _check_weights(weights: Path) -> None:
    if not weights.is_file():
        raise WeightsError(
            f"there are no weights at {weights}; run `steelyard local pull smollm2`, or name another file"
        )
    with weights.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise WeightsError(f"{weights} is not a GGUF file; name one that ends in .gguf")


def _die_with_parent() -> None:
    """On Linux, be ended by the kernel too when the gateway is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
