"""A child for the tests of what supervises engines: it does what its settings line says.

Run as `python -m tests.support.engine_child`, as the supervisor runs an engine's module.
"""

import json
import os
import signal
import sys

MEGABYTE = 1 << 20


def main() -> int:
    """Misbehave as told, or greet and serve until standard input ends."""
    settings = json.loads(sys.stdin.readline())
    match settings["do"]:
        case "fail":
            sys.stderr.write("first words\n" + "x" * MEGABYTE + "\nlast words\n")
            return 1
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "say":
            sys.stdout.write(settings["line"] + "\n")
            sys.stdout.flush()
            sys.stdin.read()
            return 0
        case "be silent":
            sys.stdin.read()
            return 0
        case "be stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "be noisy":
            sys.stderr.write("x" * MEGABYTE)
    sys.stdout.write(json.dumps({"pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    if settings["do"] == "be noisy":
        sys.stdout.write("x" * MEGABYTE)
        sys.stdout.flush()
        sys.stderr.write("y" * MEGABYTE + "\nall was written\n")
        return 0
    sys.stdin.read()
    while settings["do"] == "be stubborn":
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
