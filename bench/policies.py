"""How long a decision takes; see `bench/decisions.py`.

A script's own folder is the first that Python looks in, and there this file would be taken for the package
`policies`. So the checkout takes that place before anything of ours is imported.

    python bench/policies.py --json policies.json
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.decisions import main  # noqa: E402  (after the line above, as it says)

if __name__ == "__main__":
    main()
