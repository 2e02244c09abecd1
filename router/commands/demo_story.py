"""What the demo prints: the path of each document, and what it all came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.text import Text

from router.commands.demo_documents import ANSWER, Sample
from router.commands.extraction import Extracted, task_name
from router.commands.tables import count, duration, share, usd, words
from router.json_types import JsonObject, JsonValue

INTRODUCTION = """\
Each document goes to a gateway over HTTP. The team's policy picks a route, a model on this
machine answers, checks judge each field, and every token goes into a SQL ledger.
The model is SmolLM2-135M: a stand-in of 98 MB that is often wrong. What to watch is how much of
that the gateway notices: "right" and "wrong" are said by the gold values beside the documents
(case and spaces aside), which it never sees; "doubted" is what its checks say by themselves, and why.
"""
VALUE_CHARS_MAX = 60
INDENT = "       "


@dataclass(frozen=True, slots=True)
class Judged:
    """One document, what came of it, and what gold says of each field."""

    sample: Sample
    result: Extracted
    right: dict[str, bool]
    took_us: int

    @property
    def outcome(self) -> str:
        """ "answer", or the refusal's code: what the index's `expect` is compared with."""
        return ANSWER if self.result.answered else str(self.result.error_code)

    @property
    def as_expected(self) -> bool:
        """It came out as the index says, be the answer right or wrong."""
        return self.outcome == self.sample.expect

    @property
    def doubted(self) -> dict[str, str]:
        """The gold fields that the checks doubt, each with the reason of its worst finding.

        Parts (`items[2].amount`) count for the field that they belong to.
        """
        if self.result.answered and self.result.answer is None:
            return dict.fromkeys(self.right, "the answer is not JSON")
        found: dict[str, str] = {}
        for field in self.result.fields:
            if field.get("flagged"):
                found.setdefault(_owner(str(field.get("field"))), _reason(field))
        return found


def print_path(console: Console, number: int, of: int, judged: Judged) -> None:
    """Print how one document went, from the question to what gold and the checks say."""
    sample, result = judged.sample, judged.result
    console.print()
    console.print(words(f"{number:2}/{of}  ", (sample.file, "bold"), "  ", (sample.about, "dim")))
    if not result.answered:
        expected = "as expected" if judged.as_expected else f"and not expected ({sample.expect} was)"
        style = "yellow" if judged.as_expected else "bold red"
        console.print(words(INDENT, (f"refused, {expected}: {judged.outcome}", style)))
        console.print(words(INDENT, (str(result.error), "dim")), soft_wrap=True)
        return
    details = result.details
    console.print(
        words(
            f"{INDENT}{task_name(Path(sample.schema))} > plan {details.get('plan')} > route {details.get('route')} > "
            f"{count(result.prompt_tokens, 'token')} in, {count(result.completion_tokens)} out > "
            f"{usd(result.cost_nano_usd)}, {duration(judged.took_us)}"
        )
    )
    if not judged.as_expected:
        console.print(words(INDENT, (f"answered, and not expected: {sample.expect} was", "bold red")))
    answer = result.answer if isinstance(result.answer, dict) else {}
    width = max(map(len, judged.right), default=0)
    for name, right in judged.right.items():
        console.print(_field(name.ljust(width), answer.get(name), sample.gold, right=right))
        if name in judged.doubted:
            console.print(words(f"{INDENT}       ", (f"doubted: {judged.doubted[name]}", "yellow")))


def print_conclusion(console: Console, judged: Sequence[Judged]) -> None:
    """Print the accuracy against gold, how much of the wrong was noticed, and what an auditor would see."""
    answered = [each for each in judged if each.result.answered]
    fields = [(right, name in each.doubted) for each in answered for name, right in each.right.items()]
    right = [doubted for is_right, doubted in fields if is_right]
    wrong = [doubted for is_right, doubted in fields if not is_right]
    whole = sum(all(each.right.values()) for each in answered)
    asked = [each for each in answered if not each.result.passed]
    accuracy = (
        f"{count(len(right))} of {count(len(fields), 'field')} right ({share(len(right), len(fields))}), "
        f"{whole} of {count(len(answered), 'document')} right in every field; "
        "the model, SmolLM2-135M, is a stand-in that is often wrong"
    )
    noticed = (
        f"doubted {sum(wrong)} of {count(len(wrong), 'wrong field')} ({share(sum(wrong), len(wrong))}) "
        f"and {sum(right)} of {count(len(right), 'right one')} ({share(sum(right), len(right))})"
    )
    auditor = (
        f"a premium model would have been asked about {len(asked)} of {count(len(answered), 'answer')}, "
        f"and shown the evidence for {count(sum(len(each.result.flagged) for each in asked), 'doubtful value')} alone"
    )
    for title, said in (("Against gold", accuracy), ("The checks", noticed), ("An auditor", auditor)):
        console.print(words((title.ljust(14), "bold"), said), soft_wrap=True)
    for each in judged:
        if not each.as_expected:
            said = f"{each.sample.file}: expected {each.sample.expect}, came out as {each.outcome}"
            console.print(words((said, "bold red")), soft_wrap=True)


def print_next_steps(console: Console, checkout: Path) -> None:
    """Print what to type next."""
    console.print(words(("What to do next", "bold"), ": a gateway of your own"))
    for line in next_steps(checkout, Path.cwd()):
        console.print(words("  ", line), soft_wrap=True)
    console.print(words("and in Python, with `pip install openai`:"))
    console.print(words('  OpenAI(base_url="http://127.0.0.1:8400/v1", api_key="sk-steelyard-...")'))


def next_steps(checkout: Path, here: Path) -> list[str]:
    """Shell commands, one a line, that work when typed `here`; those after `serve` in a second terminal."""
    program = "../.venv/bin/steelyard" if (checkout / ".venv" / "bin" / "steelyard").exists() else "steelyard"
    question = '{"model": "auto", "messages": [{"role": "user", "content": "What is a steelyard?"}], "max_tokens": 60}'
    curl = (
        'curl http://127.0.0.1:8400/v1/chat/completions -H "authorization: Bearer $KEY" '
        f"-H 'content-type: application/json' -d '{question}'"
    )
    document = "--schema ../examples/schemas/invoice.schema.json ../examples/documents/01_invoice_plain.txt"
    return [
        *([f"cd {checkout}"] if here != checkout else []),
        "mkdir my-gateway && cp -r examples/steelyard.yaml examples/policies my-gateway && cd my-gateway",
        f"{program} serve      # answers at http://127.0.0.1:8400 until Ctrl-C; then, in a second terminal there:",
        f"KEY=$({program} keys create --team demo)",
        curl,
        f"{program} extract {document}",
        f"{program} report",
    ]


def _field(label: str, value: JsonValue, gold: JsonObject | None, *, right: bool) -> Text:
    mark = ("right  ", "green") if right else ("wrong  ", "red")
    line = words(INDENT, mark, f"{label}  {shown(value)}")
    if not right and gold is not None:
        line.append_text(words(("   gold: " + shown(gold.get(label.strip())), "dim")))
    return line


def shown(value: JsonValue) -> str:
    """A value as one line that fits beside another."""
    if value is None:
        return "(nothing)"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = " ".join(text.split())
    if not text:
        return "(empty)"
    return text if len(text) <= VALUE_CHARS_MAX else text[: VALUE_CHARS_MAX - 3] + "..."


def _owner(path: str) -> str:
    """`items[2].amount` -> `items`."""
    return path.partition("[")[0].partition(".")[0]


def _reason(field: JsonObject) -> str:
    """Why a field is doubted: the first check that failed, else the model's own uncertainty."""
    findings = field.get("findings")
    for finding in findings if isinstance(findings, list) else ():
        if isinstance(finding, dict) and finding.get("outcome") == "failed":
            return str(finding.get("reason"))
    score = field.get("score")
    return (
        f"the model itself was unsure (score {score:.2f})"
        if isinstance(score, float)
        else "the model itself was unsure"
    )
