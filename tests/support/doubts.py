"""Which fields of an extraction are doubted: a document, an answer of texts, and the schema that its names make."""

import json
from collections.abc import Mapping

from verifiers.checks.schema import ExtractionSchema
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed


def doubted(document: str, answer: Mapping[str, str | None]) -> set[str]:
    """The flagged fields of `answer`, whose schema asks for just these as texts, and takes null where it is null."""
    schema = ExtractionSchema.compile(
        {
            "type": "object",
            "properties": {
                name: {"type": "string" if value is not None else ["string", "null"]}
                for name, value in answer.items()
            },
            "required": [*answer],
        }
    )
    verdict = check_extraction(schema, Indexed(document), json.dumps(answer), None, Gate())
    return {field.field for field in verdict.fields if field.flagged}
