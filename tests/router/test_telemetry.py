"""What reaches the log: one JSON object a line, and nothing of what clients send."""

import io
import json
import logging
import sys
import threading
import traceback

from router.telemetry import LogBridge, Telemetry

SECRET = "sk-steelyard-canary"


def lines(stream: io.BytesIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail() -> None:
    raise ValueError(SECRET)


def record(name: str, message: str, *values: str, **more: object) -> logging.LogRecord:
    """What a logger of that name would hand on."""
    return logging.makeLogRecord(
        {"name": name, "msg": message, "args": values, "levelname": "ERROR", "levelno": logging.ERROR, **more}
    )


def telemetry(*, requests: bool = True) -> tuple[Telemetry, io.BytesIO]:
    stream = io.BytesIO()
    return Telemetry(lambda: 1_795_000_000_000_000, stream, requests=requests), stream


def one_request(log: Telemetry, request_id: str = "req_1") -> None:
    log.request(
        request_id=request_id, method="POST", path="/v1/models", status=200, team="t", key_id="key_1", duration_us=5
    )  # fmt: skip


def test_a_request_is_a_line_with_its_id_and_time() -> None:
    log, stream = telemetry()
    one_request(log)
    log.flush()
    (line,) = lines(stream)
    assert line["request_id"] == "req_1"
    assert str(line["at"]).endswith("+00:00")


def test_requests_can_be_left_out_and_events_cannot() -> None:
    log, stream = telemetry(requests=False)
    one_request(log)
    log.event("ready", url="http://127.0.0.1:1")
    log.flush()
    assert [line["event"] for line in lines(stream)] == ["ready"]


def test_a_failure_is_logged_by_its_type_and_places_alone() -> None:
    log, stream = telemetry()
    try:
        fail()
    except ValueError as error:
        log.failure("req_1", error, traceback.extract_tb(error.__traceback__))
    (line,) = lines(stream)
    assert line["error"] == "ValueError"
    assert str(line["places"]).startswith("['router/test_telemetry.py:")
    assert SECRET not in stream.getvalue().decode()


def test_other_libraries_are_logged_without_the_values_in_their_messages() -> None:
    log, stream = telemetry()
    bridge = LogBridge(log)
    bridge.handle(record("uvicorn.error", "cannot read %s", SECRET))
    try:
        fail()
    except ValueError:
        bridge.handle(record("uvicorn.error", "it failed", exc_info=sys.exc_info()))
    assert [(line["said"], line["error"]) for line in lines(stream)] == [
        ("cannot read %s", None), ("it failed", "ValueError"),
    ]  # fmt: skip
    assert SECRET not in stream.getvalue().decode()


def test_our_own_loggers_are_logged_whole() -> None:
    log, stream = telemetry()
    LogBridge(log).handle(record("steelyard.ledger", "not written: %s", "req_7"))
    assert lines(stream)[0]["said"] == "not written: req_7"


def test_no_line_is_lost_or_torn_when_threads_log_at_once() -> None:
    log, stream = telemetry()

    def work(number: int) -> None:
        for index in range(200):
            one_request(log, f"req_{number}_{index}")
            log.event("tick", number=number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    found = lines(stream)
    assert len({line["request_id"] for line in found if line["event"] == "request"}) == 800
    assert len(found) == 1_600
