"""Gold grades: what was right is returned, and kept as outcomes with their source."""

import sqlite3
from pathlib import Path

from ledger.schema import ensure_schema
from router.commands.gold import grade_and_record


def test_each_field_and_the_whole_answer_become_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ensure_schema(path)
    gold = {"shop": "THE KETTLE", "total": "11.40", "date": "2026-05-02"}
    graded = grade_and_record(path, "req_1", {"shop": "The  Kettle", "total": "11.4"}, gold)
    assert graded == {"shop": True, "total": False, "date": False}
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT request_id, source, field, outcome FROM outcome ORDER BY field"
    ).fetchall()
    connection.close()
    assert rows == [
        ("req_1", "gold", "", "wrong"),
        ("req_1", "gold", "date", "wrong"),
        ("req_1", "gold", "shop", "right"),
        ("req_1", "gold", "total", "wrong"),
    ]


def test_an_answer_that_is_no_object_has_nothing_right(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ensure_schema(path)
    assert grade_and_record(path, "req_1", None, {"total": "1"}) == {"total": False}
