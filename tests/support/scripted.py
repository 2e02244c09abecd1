"""Documents that scripted models know, for tests."""

import json
from pathlib import Path


def write_documents(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write the documents that a script knows."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
