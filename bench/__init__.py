"""What Steelyard costs and gains, measured; each file is a command that prints a table and writes `--json FILE`.

A script's own folder is the first that Python looks in, and there `bench/policies.py` would be taken for the package
`policies`. So the checkout takes that place, and what the tests share (`support`) is found beside it.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
sys.path[:] = [
    str(_ROOT),
    str(_ROOT / "tests"),
    *(entry for entry in sys.path if Path(entry).resolve() != _HERE),
]
