"""Check: the answer obeys its JSON schema.

Compiling a schema costs a hundred times what checking an answer does, so it is compiled once.
Nothing is fetched: a reference to another document is refused.
"""

from dataclasses import dataclass

import jsonschema_rs

from verifiers.errors import SchemaError
from verifiers.json_types import JsonObject, JsonValue
from verifiers.labels import Label, field_labels, property_names
from verifiers.marks import SumMark, take_out_marks
from verifiers.schema_cost import refuse_costly
from verifiers.verdict import Finding, Outcome

NODES_MAX = 20_000
CHECK = "schema"


@dataclass(frozen=True, slots=True)
class ExtractionSchema:
    """A schema ready for use: the plain one to forward, its marks, and what its fields are called."""

    plain: JsonObject
    sums: tuple[SumMark, ...]
    labels: dict[str, Label]
    """Field (with `[]` for items) -> what it is."""
    names: frozenset[str]
    """The names that it gives to properties."""
    validator: jsonschema_rs.Validator

    @staticmethod
    def compile(schema: JsonObject) -> "ExtractionSchema":
        """Compile a schema as a caller wrote it. Raises SchemaError or MarkError."""
        marked = take_out_marks(schema)
        _refuse_foreign(marked.plain)
        refuse_costly(marked.plain)
        try:
            validator = jsonschema_rs.validator_for(
                marked.plain,
                validate_formats=False,
                offline=True,
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise SchemaError(
                f"the schema is no valid JSON schema: {str(error).splitlines()[0][:200]}"
            ) from error
        return ExtractionSchema(
            marked.plain, marked.sums, field_labels(marked.plain), property_names(marked.plain), validator
        )


def check_schema(schema: ExtractionSchema, value: JsonValue) -> list[Finding]:
    """Fail once for every place (at most 20) that the schema refuses."""
    findings: list[Finding] = []
    for error in schema.validator.iter_errors(value):
        field = _path(error.instance_path)
        keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
        findings.append(
            Finding(
                CHECK,
                field,
                Outcome.FAILED,
                f"schema.{keyword}",
                f"{field or 'the answer'} breaks the schema's {keyword}",
            )
        )
        if len(findings) >= 20:
            break
    if not findings:
        findings.append(Finding(CHECK, "", Outcome.PASSED, "schema.valid", "the answer obeys its schema"))
    return findings


def _path(steps: "list[str | int]") -> str:
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path


def _refuse_foreign(schema: JsonObject) -> None:
    pending: list[JsonValue] = [schema]
    count = 0
    while pending:
        node = pending.pop()
        count += 1
        if count > NODES_MAX:
            raise SchemaError(f"the schema has more than {NODES_MAX} parts")
        if isinstance(node, dict):
            references = (node.get("$ref"), node.get("$dynamicRef"))
            if any(isinstance(reference, str) and not reference.startswith("#") for reference in references):
                raise SchemaError(
                    "the schema refers to another document by $ref; write it into $defs, nothing is fetched"
                )
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
