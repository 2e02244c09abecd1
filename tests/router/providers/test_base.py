"""The one table of what a provider's error status means for the caller and for the money."""

import pytest

from router.errors import UpstreamError, UpstreamInvalidError, UpstreamRefusedError
from router.providers.base import error_of_status

TABLE: list[tuple[int, type[UpstreamError], int, str, bool]] = [
    # provider's status, our error, the caller's status, code, may it have cost money
    (400, UpstreamRefusedError, 400, "theirs", False),
    (404, UpstreamRefusedError, 404, "theirs", False),
    (413, UpstreamRefusedError, 413, "theirs", False),
    (422, UpstreamRefusedError, 422, "theirs", False),
    (429, UpstreamRefusedError, 429, "theirs", False),
    (401, UpstreamRefusedError, 502, "upstream_credentials", False),
    (402, UpstreamRefusedError, 502, "upstream_credentials", False),
    (403, UpstreamRefusedError, 502, "upstream_credentials", False),
    (407, UpstreamRefusedError, 502, "upstream_credentials", False),
    (405, UpstreamRefusedError, 502, "theirs", False),
    (408, UpstreamRefusedError, 502, "theirs", False),
    (409, UpstreamRefusedError, 502, "theirs", False),
    (418, UpstreamRefusedError, 502, "theirs", False),
    (499, UpstreamRefusedError, 502, "theirs", False),
    (300, UpstreamInvalidError, 502, "upstream_invalid", False),
    (302, UpstreamInvalidError, 502, "upstream_invalid", False),
    (308, UpstreamInvalidError, 502, "upstream_invalid", False),
    (201, UpstreamError, 502, "upstream_error", True),
    (204, UpstreamError, 502, "upstream_error", True),
    (500, UpstreamError, 502, "upstream_error", True),
    (503, UpstreamError, 502, "upstream_error", True),
    (529, UpstreamError, 502, "upstream_overloaded", False),
    (599, UpstreamError, 502, "upstream_error", True),
]


@pytest.mark.parametrize(
    ("status", "kind", "ours", "code", "billable"), TABLE, ids=[str(row[0]) for row in TABLE]
)
def test_a_status_means_what_the_table_says(
    status: int, kind: type[UpstreamError], ours: int, code: str, *, billable: bool
) -> None:
    error = error_of_status("fake", status, "theirs", b"7")
    assert type(error) is kind
    assert (error.status, error.code, error.billable) == (ours, code, billable)
    assert "'fake'" in error.message
    assert str(status) in error.message


@pytest.mark.parametrize("status", [400, 404, 429, 503])
def test_only_a_rate_limit_says_when_to_come_back(status: int) -> None:
    headers = error_of_status("fake", status, None, b"7").headers
    assert headers == (((b"retry-after", b"7"),) if status == 429 else ())


def test_a_rate_limit_may_not_say_when() -> None:
    assert error_of_status("fake", 429, None, None).headers == ()
