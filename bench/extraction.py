"""How well a model reads receipts, and how well the checks know when it does not.

    python bench/extraction.py --data receipts.jsonl --limit 100 [--model local/smollm2] --json out.json

Peers in the same run: our own rules-only extractor, and flagging everything. Rows of the data are
read from the file that is named; nothing of them is kept but the figures.
"""

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path

from bench.machine import machine
from bench.planted import planted, planted_further, print_planted
from bench.receipts import FIELDS, SCHEMA, SEED, gold_of, read_rows
from bench.rules_only import extract_receipt
from router.commands.client import GatewayClient, own_gateway
from router.commands.demo import CONFIG, POLICY
from router.commands.extraction import Extracted, extract
from router.commands.keys import open_keys
from router.providers.pool import Pool
from router.settings import load_settings
from verifiers.grading import grade


def main() -> None:
    """Run, print the tables, write the JSON."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--limit", type=int, default=100)
    options.add_argument("--skip", type=int, default=0, help="leave out the first rows")
    options.add_argument("--model", default="local/smollm2")
    options.add_argument("--json", type=Path)
    options.add_argument("--without-model", action="store_true", help="only the rules and the planted errors")
    options.add_argument(
        "--records", type=Path, help="write every field's score and rightness here, to choose a threshold"
    )
    chosen = options.parse_args()
    rows = read_rows(chosen.data, chosen.skip, chosen.limit)
    figures: dict[str, object] = {
        "machine": machine(),
        "documents": len(rows),
        "model": chosen.model,
        "peer": "rules_only",
    }
    figures["rules_only"] = _rules_only(rows)
    if not chosen.without_model:
        figures.update(_model(rows, chosen.model, chosen.records))
    usual, further = planted(rows, [SEED]), planted_further(rows, [SEED])
    figures.update(planted=usual, planted_further=further)
    _print(figures)
    print_planted(usual, "planted")
    for kind, shares in further.items():
        print_planted(shares, kind)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")


def _rules_only(rows: list[dict[str, object]]) -> dict[str, object]:
    graded = [grade(dict(extract_receipt(str(row["text"]))), gold_of(row)) for row in rows]
    return {
        **_rounded(
            {
                "field_accuracy": _mean([right for each in graded for right in each.values()]),
                "document_accuracy": _mean([all(each.values()) for each in graded]),
            }
        ),
        "field_accuracy_by_field": {
            name: round(_mean([each[name] for each in graded]), 4) for name in FIELDS
        },
    }


def _model(rows: list[dict[str, object]], model: str, records: Path | None) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        folder = Path(scratch)
        (folder / "steelyard.yaml").write_text(CONFIG)
        (folder / "policies").mkdir()
        (folder / "policies" / "demo.yaml").write_text(POLICY)
        keys = open_keys(load_settings(folder / "steelyard.yaml"))
        _, key = keys.create("demo", "bench")
        keys.close()
        with own_gateway(folder / "steelyard.yaml") as url:
            started = time.monotonic()
            results = asyncio.run(_ask(GatewayClient(url, key), rows, model))
            seconds = time.monotonic() - started
    return _figures(rows, results, seconds, records)


async def _ask(client: GatewayClient, rows: list[dict[str, object]], model: str) -> list[Extracted]:
    slots = asyncio.Semaphore(2)
    async with contextlib.aclosing(Pool()) as pool:

        async def one(row: dict[str, object]) -> Extracted:
            async with slots:
                return await extract(client, pool, str(row["text"]), SCHEMA, "receipt", model)

        return list(await asyncio.gather(*(one(row) for row in rows)))


def _figures(
    rows: list[dict[str, object]], results: list[Extracted], seconds: float, records: Path | None
) -> dict[str, object]:
    by_field: dict[str, list[bool]] = {name: [] for name in FIELDS}
    documents: list[bool] = []
    flags: list[tuple[bool, bool]] = []
    kept: list[dict[str, object]] = []
    for row, result in zip(rows, results, strict=True):
        graded = grade(result.answer, gold_of(row))
        documents.append(all(graded.values()))
        said = {str(field["field"]): field for field in result.fields}
        for name, right in graded.items():
            by_field[name].append(right)
            field = said.get(name, {"flagged": True, "score": None})
            flags.append((bool(field["flagged"]), not right))
            kept.append(
                {"field": name, "right": right, **{key: field.get(key) for key in ("flagged", "score")}}
            )
    if records is not None:
        records.write_text("".join(json.dumps(line) + "\n" for line in kept))
    valid = [result.error is None for result in results]
    stopped = [result.error is None for result in results if result.finish_reason == "stop"]
    caught = sum(flagged and wrong for flagged, wrong in flags)
    everything = [right for each in by_field.values() for right in each]
    return {
        **_rounded(
            {
                "field_accuracy": _mean(everything),
                "document_accuracy": _mean(documents),
                "valid_json": _mean(valid),
                "valid_json_stop": _mean(stopped),
                "tokens_per_s": sum(result.completion_tokens for result in results) / seconds,
                "documents_per_s": len(results) / seconds,
                "flagged": _mean([flagged for flagged, _ in flags]),
                "flag_precision": caught / max(1, sum(flagged for flagged, _ in flags)),
                "flag_recall": caught / max(1, sum(wrong for _, wrong in flags)),
            }
        ),
        "field_accuracy_by_field": {name: round(_mean(right), 4) for name, right in by_field.items()},
    }


def _mean(values: list[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


def _print(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        if not isinstance(value, dict):
            print(f"{name:<20}{value}")
    for name in ("machine", "field_accuracy_by_field", "rules_only"):
        value = figures.get(name)
        if isinstance(value, dict):
            print(f"\n{name}")
            for key, each in value.items():
                print(f"  {key:<24}{each}")
    rules, accuracy = figures["rules_only"], figures.get("field_accuracy")
    if isinstance(accuracy, float) and isinstance(rules, dict):
        better = "beats" if accuracy > rules["field_accuracy"] else "does not beat"
        print(
            f"\n{figures['model']} {better} the rules-only extractor ({accuracy:.1%} against {rules['field_accuracy']:.1%} of fields)."
        )


if __name__ == "__main__":
    main()
