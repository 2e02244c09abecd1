"""What compressed attention saves: a token's operations and bytes of cache, against attention to every token.

    python bench/attention_counts.py --json attention_counts.json

Counted from V4-Flash's published dimensions, not timed: the same heads over the same shared rows in bfloat16, once to all
tokens before, once to a window and compressed rows. Scores and sums are two operations each an element; the index's scores,
which choose among CSA's rows, are counted too, the projections, which both have, are not.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.machine import machine
from local_model.config import LayerKind, V4Config, config_of
from local_model.footprint import bytes_per_token, state_bytes
from local_model.published_models import V4_FLASH

CONTEXTS = (4_096, 65_536, 1_048_576)
BF16_BYTES = 2


def main() -> None:
    """Count, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    config = config_of(V4_FLASH)
    rows = [counted(config, tokens) for tokens in CONTEXTS]
    sys.stdout.write(f"V4-Flash, {bytes_per_token(config, BF16_BYTES):,.0f} bytes a token in bfloat16\n")
    sys.stdout.write(
        f"{'context':>10}{'dense GFLOP':>14}{'compressed':>12}{'share':>8}{'dense GB':>11}{'compressed':>12}{'share':>8}\n"
    )
    for row in rows:
        sys.stdout.write(
            f"{row['context']:>10,.0f}{row['dense_operations'] / 1e9:14,.2f}{row['operations'] / 1e9:12,.3f}"
            f"{row['operations'] / row['dense_operations']:8.1%}{row['dense_bytes'] / 1e9:11,.2f}"
            f"{row['bytes'] / 1e9:12,.3f}{row['bytes'] / row['dense_bytes']:8.1%}\n"
        )
    if chosen.json:
        said = {"machine": machine(), "peer": "dense attention, counted", "rows": rows}
        chosen.json.write_text(json.dumps(said, indent=1) + "\n")


def counted(config: V4Config, tokens: int) -> dict[str, float]:
    """For one more token behind so many."""
    layers = len(config.layers)
    each = 4 * config.heads * config.head_dim
    operations = 0
    for kind in config.layers:
        seen = min(tokens, config.window)
        if kind is LayerKind.HCA:
            seen += tokens // config.hca_ratio
        elif kind is LayerKind.CSA:
            finished = tokens // config.csa_ratio
            seen += min(finished, config.index_topk)
            operations += 2 * config.index_heads * config.index_head_dim * finished
        operations += each * seen
    return {
        "context": tokens,
        "dense_operations": each * tokens * layers,
        "operations": operations,
        "dense_bytes": tokens * layers * config.head_dim * BF16_BYTES,
        "bytes": state_bytes(config, tokens, BF16_BYTES),
    }


if __name__ == "__main__":
    main()
