"""What the audited path costs and gains: cheap, premium, every answer audited, audits by risk.

    python bench/audited.py --data receipts.jsonl --json audited.json [--chart docs/audited.png]

The cheap model is scripted (wrong on a stated share of the fields, from a seed, with log-probabilities
that know it a little); premium and auditor are scripted too (SIMULATED): they know gold, are right at
stated rates, and bill the tokens really sent. The gateway, its checks, its questions to the auditor,
its ledger and its money are the real ones. What an audit does not settle escalates where a request
holds one receipt; in a bundle it passes, marked, since one such field of dozens would have all of it
answered anew. Predicted is the formula `c + s*a + x*p` over the tokens
that the provider counted and the stated prices; measured is what the ledger holds.
"""

import argparse
import asyncio
import contextlib
import json
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from random import Random

from bench.audited_chart import draw
from bench.audited_words import Measured, crossovers, own_times
from bench.machine import machine
from bench.planted import plant
from bench.receipts import FIELDS, gold_of, read_rows
from router.commands.client import GatewayClient, own_gateway
from router.commands.keys import open_keys
from router.json_types import JsonObject
from router.providers.pool import Pool
from router.settings import load_settings
from router.simulated.process import running_scripted
from router.simulated.script import Persona, Rates, Script, Skill
from verifiers.grading import grade

CHEAP_RATES = Rates(140_000_000, 2_800_000, 280_000_000)
"""DeepSeek V4-Flash's list price, nano-USD per million tokens."""
WRONG_SHARES = (0.02, 0.10, 0.30)
BUNDLES = (1, 20, 60)
AUDITORS = ((0.9, 0.05), (0.7, 0.1), (0.18, 0.06))
RATIOS = (13, 35, 100)
REASONING = (0, 3_000)
MODES = {"audit_always": "always", "audit_by_risk": "by_risk"}
SEED = 20_261_126
LOCAL = "local/smollm2"
LOCAL_THREADS = 2
LOCAL_USD_PER_HOUR = Fraction("0.02")
LOCAL_ROUTE = f"""\
  {LOCAL}:
    engine: gguf
    context_window: 4096
    max_output_tokens: 400
    threads: {LOCAL_THREADS}
    price: {{cpu_usd_per_hour: "{float(LOCAL_USD_PER_HOUR)}"}}
"""
ITEM: JsonObject = {
    "type": "object",
    "properties": {name: {"type": "string", "maxLength": 200} for name in FIELDS},
    "required": [*FIELDS],
    "additionalProperties": False,
}
BUNDLE: JsonObject = {
    "type": "object",
    "properties": {"receipts": {"type": "array", "items": ITEM}},
    "required": ["receipts"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Premium:
    """A premium model and auditor."""

    tpr: float
    fpr: float
    ratio: int
    reasoning: int

    @property
    def name(self) -> str:
        """What the scripted server and the configuration call it."""
        return f"premium-{self.tpr}-{self.fpr}-{self.ratio}-{self.reasoning}"

    @property
    def rates(self) -> Rates:
        """So many times the cheap model's prices."""
        return Rates(*(rate * self.ratio for rate in asdict(CHEAP_RATES).values()))


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    cheap: str
    """"local/smollm2", or "scripted-0.1": wrong on a tenth of the fields."""
    bundle: int
    premium: Premium
    plan: str

    @property
    def team(self) -> str:
        """Its team: a plan and its models."""
        return f"{self.cheap.replace('/', '-')}-b{self.bundle}-{self.premium.name}-{self.plan}"

    @property
    def cheap_model(self) -> str:
        """What the configuration calls the cheap model."""
        return LOCAL if self.cheap == LOCAL else "cheap-model"


def main() -> None:
    """Run all cases, print the tables, write the JSON and the chart."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--limit", type=int, default=60, help="so many receipts in each case")
    options.add_argument("--wrong", type=float, nargs="*", default=list(WRONG_SHARES))
    options.add_argument("--bundle", type=int, nargs="*", default=list(BUNDLES))
    options.add_argument("--ratio", type=int, nargs="*", default=list(RATIOS))
    options.add_argument(
        "--local", type=int, default=0, help="so many receipts with the model on this machine, too (3 s each)"
    )
    options.add_argument("--json", type=Path)
    options.add_argument("--chart", type=Path)
    chosen = options.parse_args()
    rows = read_rows(chosen.data, 0, chosen.limit)
    measured: list[Measured] = []
    for wrong in chosen.wrong:
        cheap = f"scripted-{wrong}"
        measured += _run(rows, cheap, _cases(cheap, chosen.bundle, AUDITORS, chosen.ratio, REASONING), wrong)
    if chosen.local:
        cases = _cases(LOCAL, [1], AUDITORS[:1], [RATIOS[1]], REASONING)
        measured += _run(rows[: chosen.local], LOCAL, cases, 0.0)
    rows_of_json: list[dict[str, object]] = [asdict(each) for each in measured]
    figures: dict[str, object] = {
        "machine": machine(),
        "simulated": "cheap, premium and auditor are scripted; checks, questions, money and ledger are real",
        "receipts": len(rows),
        "rows": rows_of_json,
    }
    _print(measured)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")
    if chosen.chart is not None:
        draw(rows_of_json, chosen.chart)


def _cases(
    cheap: str,
    bundles: Sequence[int],
    auditors: Sequence[tuple[float, float]],
    ratios: Sequence[int],
    reasoning: Sequence[int],
) -> list[Case]:
    """Every plan with every premium model, at every size of bundle."""
    premiums = [
        Premium(*rates, ratio, tokens) for rates in auditors for ratio in ratios for tokens in reasoning
    ]
    return [
        Case(cheap, bundle, premium, plan)
        for bundle in bundles
        for premium in premiums
        for plan in ("cheap", "premium", *MODES)
    ]


def _run(rows: list[dict[str, object]], cheap: str, cases: list[Case], wrong: float) -> list[Measured]:
    premiums = list(dict.fromkeys(case.premium for case in cases))
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        folder = Path(scratch)
        script = _script(folder, rows, wrong, premiums)
        with running_scripted(script) as address:
            config, keys = _configure(folder, address, cheap, premiums, cases)
            with own_gateway(config) as url:
                found = asyncio.run(_ask_all(url, keys, address, rows, cases))
            ledger = folder / "steelyard-data" / "ledger.sqlite"
            return _figures(ledger, cases, found)


def _script(folder: Path, rows: list[dict[str, object]], wrong: float, premiums: Sequence[Premium]) -> Script:
    """The documents with a cheap answer for each, wrong on a share of the fields, and all models."""
    chance = Random(SEED)  # noqa: S311  (a benchmark's seed, no secret)
    with (folder / "documents.jsonl").open("w") as file:
        for row in rows:
            gold, text = gold_of(row), str(row["text"])
            cheap = dict(gold)
            for name in FIELDS:
                spoilt = plant(name, str(gold[name]), text, chance) if chance.random() < wrong else None
                cheap[name] = spoilt if spoilt is not None else gold[name]
            file.write(json.dumps({"text": text, "gold": gold, "cheap": cheap}) + "\n")
    personas = [Persona("cheap-model", CHEAP_RATES, cheap=True)]
    personas += [
        Persona(
            each.name,
            each.rates,
            Skill(true_positives=each.tpr, false_positives=each.fpr),
            reasoning_tokens=each.reasoning,
        )
        for each in premiums
    ]
    return Script(str(folder / "documents.jsonl"), tuple(personas), str(folder / "cache"), SEED)


def _configure(
    folder: Path, address: str, cheap: str, premiums: Sequence[Premium], cases: Sequence[Case]
) -> tuple[Path, dict[str, str]]:
    """A route for each model, a team for each case, a key for each team."""
    lines = [
        "server: {log_requests: false}\n",
        f'providers:\n  scripted: {{base_url: "{address}/v1"}}\nroutes:\n',
        LOCAL_ROUTE if cheap == LOCAL else _route("cheap-model", CHEAP_RATES, "    logprobs: true\n"),
        *(_route(each.name, each.rates, "    premium: true\n") for each in premiums),
    ]
    (folder / "steelyard.yaml").write_text("".join(lines))
    (folder / "policies").mkdir()
    for case in cases:
        plans = f"  cheap: [{case.cheap_model}]\n  premium: [{case.premium.name}]\n"
        plan = case.plan
        if case.plan in MODES:
            unsettled = "escalate" if case.bundle == 1 else "pass"
            plans += f"  cheap+audit: {{audit: {MODES[case.plan]}, when_unsettled: {unsettled}}}\n"
            plan = "cheap+audit"
        (folder / "policies" / f"{case.team}.yaml").write_text(
            f"team: {case.team}\nmodels: [{case.cheap_model}, {case.premium.name}]\nplans:\n{plans}"
            f"auto: {{extraction: {plan}}}\n"
        )
    store = open_keys(load_settings(folder / "steelyard.yaml"))
    keys = {case.team: store.create(case.team, "bench")[1] for case in cases}
    store.close()
    return folder / "steelyard.yaml", keys


def _route(name: str, rates: Rates, more: str) -> str:
    def usd(rate: int) -> str:
        return f'"{rate / 1_000_000_000:.6f}"'

    return (
        f"  {name}:\n    provider: scripted\n{more}    simulated: true\n    context_window: 1000000\n"
        "    max_output_tokens: 32000\n"
        f"    price: {{input_usd_per_million: {usd(rates.input_uncached)}, "
        f"cache_read_usd_per_million: {usd(rates.cache_read)}, output_usd_per_million: {usd(rates.output_text)}}}\n"
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came back for one case, and what the provider counted for it, by model and purpose."""

    right: int
    fields: int
    requests: int
    seconds: float
    """By our own clock."""
    bill: dict[str, dict[str, int]]


async def _ask_all(
    url: str, keys: dict[str, str], address: str, rows: list[dict[str, object]], cases: Sequence[Case]
) -> dict[str, _Asked]:
    found: dict[str, _Asked] = {}
    async with contextlib.aclosing(Pool()) as pool:
        before = _bill(address)
        for number, case in enumerate(cases):
            begun = time.monotonic()
            client = GatewayClient(url, keys[case.team])
            right, fields, requests = await _ask(client, pool, rows, case.bundle)
            seconds, after = time.monotonic() - begun, _bill(address)
            found[case.team] = _Asked(right, fields, requests, seconds, _difference(before, after))
            before = after
            sys.stderr.write(f"\r{number + 1} of {len(cases)} cases with {case.cheap} ")
    sys.stderr.write("\n")
    return found


async def _ask(
    client: GatewayClient, pool: Pool, rows: list[dict[str, object]], bundle: int
) -> tuple[int, int, int]:
    """How many fields were right, of how many, in how many requests: one after another, so that none waits
    for another's work."""
    groups = [rows[at : at + bundle] for at in range(0, len(rows), bundle)]
    graded: list[bool] = []
    for some in groups:
        answers = await _answers(client, pool, some, in_bundle=bundle > 1)
        for answer, row in zip(answers, some, strict=True):
            graded += grade(answer, gold_of(row)).values()
    return sum(graded), len(graded), len(groups)


async def _answers(
    client: GatewayClient, pool: Pool, rows: list[dict[str, object]], *, in_bundle: bool
) -> list[JsonObject]:
    text = "\n\n".join(str(row["text"]) for row in rows)
    schema = BUNDLE if in_bundle else ITEM
    status, body = await client.post(
        pool,
        "/v1/chat/completions",
        {
            "model": "auto",
            "messages": [
                {"role": "system", "content": "Read every receipt."},
                {"role": "user", "content": text},
            ],
            "response_format": {"type": "json_schema", "json_schema": {"name": "receipts", "schema": schema}},
        },
    )
    if status != 200:
        raise SystemExit(f"the gateway answered {status}: {body}")
    choices = body["choices"]
    assert isinstance(choices, list)
    text_said = str(choices[0]["message"]["content"])  # type: ignore[index,call-overload]  # OpenAI's shape
    try:
        content = json.loads(text_said)
    except json.JSONDecodeError:  # a model on this machine may run into its limit: nothing of it is right
        content = {}
    answers = content.get("receipts", []) if in_bundle else [content]
    return [*answers, *({} for _ in range(len(rows) - len(answers)))][: len(rows)]


def _bill(address: str) -> dict[str, dict[str, int]]:
    with urllib.request.urlopen(f"{address}/bill") as response:  # noqa: S310  (our own server)
        told = json.loads(response.read())
    return {
        f"{model} {purpose}": sums for model, purposes in told.items() for purpose, sums in purposes.items()
    }


def _difference(
    before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    return {
        name: {key: value - before.get(name, {}).get(key, 0) for key, value in sums.items()}
        for name, sums in after.items()
        if sums != before.get(name)
    }


def _figures(ledger: Path, cases: Sequence[Case], found: dict[str, _Asked]) -> list[Measured]:
    connection = sqlite3.connect(ledger)
    spent = dict(connection.execute("SELECT team, sum(cost_nano_usd) FROM entry GROUP BY team").fetchall())
    connection.close()
    premium = {(case.bundle, case.premium): spent[case.team] for case in cases if case.plan == "premium"}
    alone = {case.premium: found[case.team] for case in cases if case.plan == "cheap"}
    own = {case.team: _own_times(ledger, case.team) for case in cases if case.plan in MODES}
    return [
        _row(
            case,
            found[case.team],
            alone[case.premium],
            spent[case.team],
            premium[case.bundle, case.premium],
            own.get(case.team, []),
        )
        for case in cases
    ]


def _own_times(ledger: Path, team: str) -> list[float]:
    """Of each audited answer's time, in ms, what is left without its attempts': our own part."""
    connection = sqlite3.connect(ledger)
    found = connection.execute(
        "SELECT a.latency_us - sum(e.latency_us) FROM answer a JOIN entry e ON e.request_id = a.request_id"
        " JOIN request r ON r.request_id = a.request_id"
        " WHERE r.team = ? AND e.state = 'SETTLED' GROUP BY a.request_id HAVING sum(e.role = 'audit') > 0 ORDER BY 1",
        (team,),
    ).fetchall()
    connection.close()
    return [microseconds / 1_000 for (microseconds,) in found]


def _row(
    case: Case,
    asked: _Asked,
    alone: _Asked,
    cost: int,
    cost_of_premium: int,
    own_ms: list[float],
) -> Measured:
    audits = asked.bill.get(f"{case.premium.name} audit", {}).get("answers", 0)
    dear = asked.bill.get(f"{case.premium.name} answer", {}).get("answers", 0)
    return Measured(
        cheap=case.cheap,
        bundle=case.bundle,
        tpr=case.premium.tpr,
        fpr=case.premium.fpr,
        price_ratio=case.premium.ratio,
        reasoning=case.premium.reasoning,
        plan=case.plan,
        accuracy=round(asked.right / asked.fields, 4),
        cost_nano_usd=cost,
        predicted_nano_usd=round(_predicted(case, asked, alone)),
        cost_of_premium_nano_usd=cost_of_premium,
        requests=asked.requests,
        audited_share=round(audits / asked.requests, 4),
        escalated_share=round(dear / asked.requests, 4) if case.plan in MODES else 0.0,
        own_ms=own_ms,
    )


def _predicted(case: Case, asked: _Asked, alone: _Asked) -> Fraction:
    """`n * (c + s*a + x*p)`: the mean tokens of each kind of call at the stated prices, and the shares. What
    the local model costs is its time when it ran `alone`, by our own clock."""
    requests = asked.requests

    def each(model: str, purpose: str, rates: Rates) -> tuple[Fraction, Fraction]:
        """A call's price, and in how many calls an answer came to one."""
        sums = asked.bill.get(f"{model} {purpose}")
        if sums is None:
            return Fraction(0), Fraction(0)
        calls = sums["answers"]
        price = sums["prompt_tokens"] * rates.input_uncached + sums["output_tokens"] * rates.output_text
        return Fraction(price, 1_000_000 * calls), Fraction(calls, requests)

    c, of_cheap = each("cheap-model", "answer", CHEAP_RATES)
    if case.cheap == LOCAL and case.plan != "premium":
        of_cheap, hours = Fraction(1), Fraction(alone.seconds) / 3_600 / alone.requests
        c = hours * LOCAL_THREADS * LOCAL_USD_PER_HOUR * 1_000_000_000
    a, s = each(case.premium.name, "audit", case.premium.rates)
    p, x = each(case.premium.name, "answer", case.premium.rates)
    return requests * (of_cheap * c + s * a + x * p)


def _print(measured: Sequence[Measured]) -> None:
    print("SIMULATED: cheap, premium and auditor are scripted; checks, questions, money and ledger are real")
    print(
        f"{'cheap':<14}{'bundle':>7}{'tpr':>6}{'fpr':>6}{'ratio':>6}{'reason':>8}  {'plan':<14}"
        f"{'accuracy':>9}{'of premium':>12}{'s':>7}{'x':>7}{'formula':>9}"
    )
    for each in measured:
        share = each.cost_nano_usd / each.cost_of_premium_nano_usd
        formula = each.predicted_nano_usd / each.cost_nano_usd
        print(
            f"{each.cheap:<14}{each.bundle:>7}{each.tpr:>6}{each.fpr:>6}{each.price_ratio:>6}{each.reasoning:>8}  "
            f"{each.plan:<14}{each.accuracy:>9.1%}{share:>12.1%}{each.audited_share:>7.2f}{each.escalated_share:>7.2f}{formula:>9.4f}"
        )
    for line in (*crossovers(measured), *own_times(measured)):
        print(line)


if __name__ == "__main__":
    main()
