"""Callers of streams that do not wait for the end."""

import http.client
import json
from urllib.parse import urlsplit

from support.gateway import RunningGateway


def leave_after_the_first_piece(gateway: RunningGateway, key: str) -> None:
    """Ask for a stream, read one line of it, and close the connection."""
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    body = json.dumps({"model": "auto", "stream": True, "messages": [{"role": "user", "content": "go on"}]})
    connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {key}"})
    assert b"data" in connection.getresponse().readline()
    connection.close()
