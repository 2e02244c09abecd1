"""How fast the V4 runtime decodes; see `bench/decode_speed.py`.

A script's own folder is the first that Python looks in, and there this file would be taken for the package
`local_model`. So the checkout takes that place before anything of ours is imported.

    python bench/local_model.py --json local_model.json
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "tests"))

from bench.decode_speed import main  # noqa: E402  (after the lines above, as it says)

if __name__ == "__main__":
    main()
