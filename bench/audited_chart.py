"""The chart of the audited path: how right each plan is, and at what share of premium's cost.

python bench/audited_chart.py audited.json docs/audited.png
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

COLOURS = {
    "cheap": "tab:gray",
    "premium": "tab:red",
    "audit_always": "tab:blue",
    "audit_by_risk": "tab:green",
}


def draw(rows: Sequence[Mapping[str, object]], path: Path) -> None:
    """Draw one panel for each size of bundle."""
    mpl.use("Agg")
    bundles = list(dict.fromkeys(row["bundle"] for row in rows))
    figure, panels = plt.subplots(
        1, len(bundles), figsize=(5 * len(bundles), 4.5), sharey=True, squeeze=False
    )
    for panel, bundle in zip(panels[0], bundles, strict=True):
        for plan, colour in COLOURS.items():
            some = [row for row in rows if row["bundle"] == bundle and row["plan"] == plan]
            costs = [
                100 * number(row, "cost_nano_usd") / number(row, "cost_of_premium_nano_usd") for row in some
            ]
            right = [100 * number(row, "accuracy") for row in some]
            panel.scatter(costs, right, s=18, color=colour, alpha=0.6, label=plan.replace("_", " "))
        panel.axvline(100, color="tab:red", linewidth=0.8, linestyle=":")
        panel.set_title(f"receipts in a request: {bundle}")
        panel.set_xlabel("cost, % of premium")
    panels[0][0].set_ylabel("fields right, %")
    panels[0][-1].legend()
    figure.suptitle("SIMULATED models; the gateway, its checks, its questions and its ledger are real")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def number(row: Mapping[str, object], key: str) -> float:
    """A figure of a row."""
    value = row[key]
    assert isinstance(value, (int, float))
    return float(value)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text())["rows"], Path(sys.argv[2]))
