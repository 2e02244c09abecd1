"""A gateway whose team has the plan `cheap+audit`, before one upstream that plays all of its models."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from router.json_types import JsonObject
from support.gateway import Response, RunningGateway, make_key, running_gateway, write_config
from support.upstream import Upstream, running_upstream
from support.upstream_bill import TokenPrices
from support.upstream_script import Behaviour, Received

CHEAP = TokenPrices(input=1_000_000_000, cached=1_000_000_000, output=2_000_000_000, reasoning=2_000_000_000)
DEAR = TokenPrices(
    input=10_000_000_000, cached=10_000_000_000, output=50_000_000_000, reasoning=50_000_000_000
)
CONFIG = """\
ledger: {{disk_reserve_mb: 0}}
providers:
  fake: {{base_url: "{base_url}"}}
routes:
  small:
    provider: fake
    price: {{input_usd_per_million: "1", cache_read_usd_per_million: "1", output_usd_per_million: "2"}}
    context_window: 100000
    max_output_tokens: 1000
    logprobs: true
  big:
    provider: fake
    premium: true
    price: {{input_usd_per_million: "10", cache_read_usd_per_million: "10", output_usd_per_million: "50"}}
    context_window: 100000
    max_output_tokens: 2000
  grader:
    provider: fake
    premium: true
    price: {{input_usd_per_million: "10", cache_read_usd_per_million: "10", output_usd_per_million: "50"}}
    context_window: 100000
    max_output_tokens: 2000
"""
POLICY = """\
team: finance
models: ["*"]
plans: {{cheap: [small], premium: [big], cheap+audit: {audits}}}
auto: {{extraction: cheap+audit, generation: cheap+audit}}
baseline: big
{rest}
"""
TEXT = "ACME Ltd\nInvoice date 2026-11-01\nSubtotal 10.00\nTotal 12.50\n"
FIELD: JsonObject = {"type": "string", "maxLength": 40}
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"company": FIELD, "total": FIELD},
    "required": ["company", "total"],
    "additionalProperties": False,
}
RIGHT: JsonObject = {"company": "ACME Ltd", "total": "12.50"}
DOUBTFUL: JsonObject = {"company": "ACME Ltd", "total": "99.99"}

Judge = Callable[[Received], Behaviour]


def verdicts(
    ruling: str,
    correction: str | None = None,
    *,
    on: str | None = None,
    otherwise: str = "right",
    cites: str = "Total 12.50",
) -> Judge:
    """An auditor that says the same of every field, or of the one named `on` alone and `otherwise` of the others. Its
    correction cites the excerpt that holds `cites`."""

    def answer(received: Received) -> Behaviour:
        lines = [json.loads(line) for line in received.last_user_text.splitlines() if line[:1] == "{"]
        spans = [each["span"] for each in lines if "span" in each and cites in each["text"]]
        said: list[JsonObject] = []
        for each in lines:
            if "field" in each and on in (None, each["field"]):
                span = spans[0] if spans and correction is not None else None
                said.append(
                    {"field": each["field"], "verdict": ruling, "correction": correction, "span_id": span}
                )
            elif "field" in each:
                said.append(
                    {"field": each["field"], "verdict": otherwise, "correction": None, "span_id": None}
                )
        return Behaviour(answer={"verdicts": [*said]})

    return answer


def _nobody(_received: Received) -> Behaviour:
    return Behaviour(status=503, error_code="nobody_is_to_be_asked")


@contextmanager
def audited_gateway(
    folder: Path,
    cheap: Behaviour,
    *,
    judge: Judge = _nobody,
    premium: Behaviour | None = None,
    audits: str = "{audit: by_risk}",
    rest: str = "",
) -> Iterator[tuple[RunningGateway, Upstream]]:
    """Run it for as long as the block lasts: `small` answers with `cheap`, `big` judges with `judge` and answers
    with `premium`, by default what is right."""
    answer = premium or Behaviour(answer=RIGHT)

    def behave(received: Received) -> Behaviour:
        if "You audit " in received.body.decode():
            return judge(received)
        return cheap if received.model == "small" else answer

    with running_upstream(behave=behave, prices={"small": CHEAP, "big": DEAR, "grader": DEAR}) as upstream:
        policy = POLICY.format(audits=audits, rest=rest)
        config = write_config(folder, CONFIG.format(base_url=upstream.base_url), {"finance": policy})
        with running_gateway(config) as gateway:
            yield gateway, upstream


def extract_from(
    gateway: RunningGateway, text: str = TEXT, schema: JsonObject = SCHEMA, **fields: object
) -> Response:
    """Ask for the fields of `schema`, and for the `steelyard` object."""
    form = {"type": "json_schema", "json_schema": {"name": "invoice", "schema": schema}}
    return gateway.chat(
        make_key(gateway.config),
        messages=[{"role": "user", "content": text}],
        response_format=form,
        steelyard={"return": True},
        **fields,
    )


def said_in(response: Response) -> object:
    """The answer as JSON."""
    return json.loads(json.loads(response.body)["choices"][0]["message"]["content"])
