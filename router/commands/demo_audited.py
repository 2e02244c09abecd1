"""The demo's second screen: the audited path, live, on documents that were read before without an audit.

Without a premium key the premium model is a script that knows the documents' gold values: everything
that it touches is marked SIMULATED, and it never counts under "saved".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console

from router.commands.demo_documents import Sample
from router.commands.demo_story import INDENT, Judged, shown
from router.commands.documents import NotTextError, read_document_text
from router.commands.tables import count, duration, usd, words
from router.simulated.script import Persona, Rates, Script

TEAM = "audited"
DOCUMENTS_MAX = 8
LIMIT_USD = "2"
SCRIPTED = "scripted-premium"
RATES = Rates(input_uncached=5_000_000_000, cache_read=500_000_000, output_text=30_000_000_000)
SCRIPTED_ROUTE = """\
  scripted-premium:               # answers from a script that knows the gold values: SIMULATED
    provider: scripted
    premium: true
    simulated: true
    price: {input_usd_per_million: "5", cache_read_usd_per_million: "0.5", output_usd_per_million: "30"}
    context_window: 128000
    max_output_tokens: 4000
"""
INTRODUCTION = """\
The audited path: the same model answers, and a premium model is asked about what the checks doubt. It
sees the doubtful values and short excerpts, never the document. Some of these documents try to talk it round.
"""
SIMULATED_SAID = """\
No premium key is in the environment, so the premium model is a script that knows the right values: it is
marked SIMULATED wherever it stands, and nothing that it does counts as saved.
"""


@dataclass(frozen=True, slots=True)
class Premium:
    """The premium model that audits."""

    model: str
    simulated: bool


def audited_policy(premium: Premium) -> str:
    """The rules of the team whose answers are audited."""
    return f"""\
team: {TEAM}
models: [local/smollm2, {premium.model}]
plans:
  cheap: [local/smollm2]
  premium: [{premium.model}]
  cheap+audit: {{audit: by_risk}}
auto: {{extraction: cheap+audit, generation: cheap}}
limits: {{request_usd: "{LIMIT_USD}", day_usd: "{LIMIT_USD}"}}
"""


def script_of(folder: Path, home: Path, samples: Sequence[Sample]) -> Script:
    """The script of a premium model that knows the gold values of `samples`."""
    documents = home / "scripted.jsonl"
    with documents.open("wb") as file:
        for sample in samples:
            try:
                text = read_document_text(folder / sample.file) if sample.gold is not None else None
            except NotTextError:
                continue
            if text is not None:
                row = {"text": text, "gold": sample.gold}
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return Script(str(documents), (Persona(SCRIPTED, RATES),), str(home / "tokenizers"))


def chosen(judged: Sequence[Judged]) -> list[Judged]:
    """The answered invoices, those that are hostile among them."""
    invoices = [each for each in judged if each.result.answered and "invoice" in each.sample.schema]
    hostile = [each for each in invoices if each.sample.about.startswith("Hostile")]
    return [*[each for each in invoices if each not in hostile][: DOCUMENTS_MAX - len(hostile)], *hostile]


def print_audited(console: Console, number: int, of: int, before: Judged, after: Judged) -> None:
    """Print what the audit of one document did."""
    result = after.result
    console.print()
    console.print(words(f"{number:2}/{of}  ", (after.sample.file, "bold"), "  ", (after.sample.about, "dim")))
    if not result.answered:
        console.print(words(INDENT, (f"not answered: {result.error}", "bold red")), soft_wrap=True)
        return
    status = str(result.details.get("audit"))
    console.print(
        words(
            f"{INDENT}{count(len(before.result.flagged), 'doubtful value')} > plan {result.details.get('plan')} > ",
            (status.replace("_", " "), "bold"),
            f" > answered by {result.details.get('route')} > {usd(result.cost_nano_usd)}, {duration(after.took_us)}",
        )
    )
    was = before.result.answer if isinstance(before.result.answer, dict) else {}
    now = result.answer if isinstance(result.answer, dict) else {}
    for name, right in after.right.items():
        if was.get(name) != now.get(name):
            mark = ("right  ", "green") if right else ("wrong  ", "red")
            console.print(words(INDENT, mark, f"{name}  {shown(was.get(name))} -> {shown(now.get(name))}"))


def print_gain(console: Console, before: Sequence[Judged], after: Sequence[Judged], premium: Premium) -> None:
    """Print what the audits changed, and what they cost."""
    was = [right for each in before for right in each.right.values()]
    now = [right for each in after for right in each.right.values()]
    statuses = [str(each.result.details.get("audit")) for each in after]
    told = ", ".join(f"{statuses.count(each)} {each.replace('_', ' ')}" for each in dict.fromkeys(statuses))
    cost = sum(each.result.cost_nano_usd for each in after)
    console.print()
    mark = (("SIMULATED  ", "bold yellow"),) if premium.simulated else ()
    console.print(words(*mark, f"{count(len(after), 'document')}: {told}"))
    console.print(
        words(
            f"{INDENT}{sum(was)} of {count(len(was), 'field')} right without an audit, {sum(now)} of {len(now)} with it, "
            f"for {usd(cost)}"
        )
    )
