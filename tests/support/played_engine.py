"""Stands in for llama.cpp's process in a copy of the packages, so that a test can hear what an engine is told.

Its file of weights has the head of a GGUF file, and then the address of whoever answers in its place. The supervisor, the client and all that
is above them are the gateway's own.
"""

import json
import os
import sys
from pathlib import Path

HEAD_BYTES = 24


def main() -> int:
    """Greet as the engine would, and end with standard input."""
    weights = Path(json.loads(sys.stdin.readline())["weights"])
    weights.with_suffix(".pid").write_text(str(os.getpid()))
    greeting = {
        "address": weights.read_bytes()[HEAD_BYTES:].decode(),
        "context_window": 16_384,
        "fingerprint": "played",
    }
    sys.stdout.write(json.dumps(greeting) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
