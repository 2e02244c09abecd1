"""A question about an answer's fields that is no longer than the money that is held for it."""

import secrets
from collections.abc import Collection

from router.judging import judges_request
from router.planning import text_bound
from verifiers.answer import NotJsonError, read_answer
from verifiers.auditor import TEXT_CHARS_MAX, AuditQuestion, audit_question
from verifiers.checks.schema import ExtractionSchema
from verifiers.indexed import Indexed
from verifiers.verdict import Verdict

NONCE_BYTES = 16


def fitting_question(
    schema: ExtractionSchema,
    indexed: Indexed,
    verdict: Verdict,
    answer_text: str,
    fields: Collection[str] | None,
    room: int,
) -> AuditQuestion | None:
    """Ask about `fields`, or about the doubtful ones, as far as `room` tokens go; None where nothing can be asked."""
    try:
        answer = read_answer(answer_text)
    except NotJsonError:
        return None
    indexed.renew()
    nonce, chars_max = secrets.token_hex(NONCE_BYTES), TEXT_CHARS_MAX
    while True:
        asked = audit_question(schema, indexed, verdict, answer, nonce, fields, chars_max)
        if asked is None or text_bound(judges_request(asked)) <= room:
            return asked
        chars_max = len(asked.text) // 2
