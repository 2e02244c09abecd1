"""Every way a request can fail, and the HTTP status it fails with.

GatewayError
|-- InvalidRequestError        400  the caller can fix it; `param` names the field
|   `-- ContextLengthError     400  more tokens than the routes' windows hold
|-- AuthenticationError        401  no key, or one that is unknown or revoked
|-- BudgetExceededError        402  not 429: official clients retry a 429
|-- PolicyDeniedError          403  a rule closed every route
|-- ForbiddenError             403  the key's role or scope does not reach this
|-- NotFoundError              404  no such path, model or request
|-- MethodNotAllowedError      405  the path exists, the method does not
|-- BodyTooLargeError          413  more bytes than the gateway reads
|-- UnsupportedEncodingError   415  a body that is packed
|-- BudgetHeldError            429  money is only held and comes back: retry
|-- ClientLeftError            499  the caller closed its connection: nobody hears of it
|-- InternalError              500  our fault; the log has the place
|-- UpstreamError              502  a provider failed
|   |-- UpstreamRefusedError   ...  a provider refused the request itself: its own status
|   |-- UpstreamInvalidError   502  what it sent is not an answer
|   `-- UpstreamTimeoutError   504  a provider was silent
|-- UnauditedError             502  the policy lets no answer pass that could not be audited
`-- UnavailableError           503  no space, shutting down, an engine that is down
    `-- BusyError              503  a queue is full: retry

Lower packages know no HTTP: whoever in `router` calls them turns their errors into these.
"""


class GatewayError(Exception):
    """The root: `status`, OpenAI's `type` and `code`, and headers to send with it."""

    status = 500
    type = "server_error"
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code if code is not None else type(self).code
        self.headers = headers


class InvalidRequestError(GatewayError):
    """The caller can fix it."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class ContextLengthError(InvalidRequestError):
    """The request is larger than every route that may answer it."""

    code = "context_length_exceeded"


class AuthenticationError(GatewayError):
    """No key, or one that is unknown or revoked."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers=((b"www-authenticate", b"Bearer"),))


class BudgetExceededError(GatewayError):
    """The money is spent."""

    status = 402
    type = "budget_error"
    code = "budget_exceeded"


class PolicyDeniedError(GatewayError):
    """The team's rules allow no route for this request."""

    status = 403
    type = "policy_error"
    code = "policy_denied"


class ForbiddenError(GatewayError):
    """The key is known, but its role or its scope does not reach this."""

    status = 403
    type = "permission_error"
    code = "forbidden"


class NotFoundError(GatewayError):
    """There is no such path, model or request."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowedError(GatewayError):
    """The path exists, the method does not."""

    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class BodyTooLargeError(GatewayError):
    """The body is larger than the gateway reads."""

    status = 413
    type = "invalid_request_error"
    code = "body_too_large"


class UnsupportedEncodingError(GatewayError):
    """The body is packed: read as it is, it would be something else than what was sent."""

    status = 415
    type = "invalid_request_error"
    code = "unsupported_encoding"

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"the body's content-encoding is '{encoding[:40]}', and none but identity is read; send it as it is, without that header",
            headers=((b"accept-encoding", b"identity"),),
        )


class BudgetHeldError(GatewayError):
    """The money is only held by requests in flight; it comes back."""

    status = 429
    type = "budget_error"
    code = "budget_held"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers=((b"retry-after", b"1"),))


class ClientLeftError(GatewayError):
    """The caller closed its connection before its answer was complete: nobody hears of this."""

    status = 499
    code = "client_left"


class InternalError(GatewayError):
    """Our fault."""


class UpstreamError(GatewayError):
    """A provider failed. `billable` says whether it may have charged for the attempt, `generated` whether
    also for what it wrote."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"

    def __init__(
        self, message: str, *, code: str | None = None, billable: bool, generated: bool = True
    ) -> None:
        super().__init__(message, code=code)
        self.billable = billable
        self.generated = billable and generated


class UpstreamRefusedError(UpstreamError):
    """A provider refused the request itself and charged nothing; `status` is its own."""

    code = "upstream_refused"

    def __init__(
        self, message: str, *, status: int, code: str | None = None, retry_after: bytes | None = None
    ) -> None:
        super().__init__(message, code=code, billable=False)
        self.status = status
        if retry_after is not None:
            self.headers = ((b"retry-after", retry_after),)


class UpstreamInvalidError(UpstreamError):
    """What a provider sent is not an answer."""

    code = "upstream_invalid"


class UpstreamTimeoutError(UpstreamError):
    """A provider was silent for too long."""

    status = 504
    code = "upstream_timeout"


class UnauditedError(GatewayError):
    """An answer was made that the team's policy lets nobody have unaudited."""

    status = 502
    type = "upstream_error"
    code = "unaudited"


class UnavailableError(GatewayError):
    """The gateway, or what it needs, takes no new work now."""

    status = 503
    type = "server_error"
    code = "unavailable"


class BusyError(UnavailableError):
    """A queue is full."""

    code = "busy"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers=((b"retry-after", b"1"),))
