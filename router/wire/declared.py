"""What a caller says about its request: the object `steelyard` in the body, or the `x-steelyard-*` headers."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from policies.facts import Label
from router.errors import InvalidRequestError
from router.request import Declared

WORD_CHARS_MAX = 64
NAME_CHARS_MAX = 128
_NOTHING_DECLARED = Declared()


def _printable(text: str) -> str:
    """These words stand in headers and rows."""
    if not text.isprintable():
        raise ValueError("must be printable characters")
    return text


_Word = Annotated[StrictStr, Field(min_length=1, max_length=WORD_CHARS_MAX), AfterValidator(_printable)]
_Name = Annotated[StrictStr, Field(min_length=1, max_length=NAME_CHARS_MAX), AfterValidator(_printable)]


class DocumentRef(BaseModel):
    """Which message is the document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message: Annotated[StrictInt, Field(ge=0)]


class SteelyardObject(BaseModel):
    """The object `steelyard`; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: _Word | None = None
    label: Label | None = None
    purpose: _Word | None = None
    conversation: _Name | None = None
    document: DocumentRef | None = None
    return_: StrictBool = Field(default=False, alias="return")


def read_declared(
    steelyard: SteelyardObject | None, headers: dict[bytes, bytes], message_count: int
) -> Declared:
    """Join body and headers; the body wins, but of two labels the stricter. Raises InvalidRequestError."""
    if steelyard is None and not any(name.startswith(b"x-steelyard-") for name in headers):
        return _NOTHING_DECLARED
    body = steelyard if steelyard is not None else SteelyardObject()
    if body.document is not None and body.document.message >= message_count:
        raise InvalidRequestError(
            f"steelyard.document.message is {body.document.message}, but there are {message_count} messages, counted from 0",
            param="steelyard.document.message",
        )
    return Declared(
        task=body.task or _header(headers, b"x-steelyard-task", WORD_CHARS_MAX),
        label=_stricter(body.label, _header(headers, b"x-steelyard-label", WORD_CHARS_MAX)),
        purpose=body.purpose or _header(headers, b"x-steelyard-purpose", WORD_CHARS_MAX),
        conversation=body.conversation or _header(headers, b"x-steelyard-conversation", NAME_CHARS_MAX),
        document_message=body.document.message if body.document is not None else None,
        return_details=body.return_,
    )


def _stricter(in_body: Label | None, in_header: str | None) -> Label | None:
    if in_header is None:
        return in_body
    labels = list(Label)
    if in_header not in labels:
        raise InvalidRequestError(
            f"x-steelyard-label is '{in_header}'; it is one of {', '.join(labels)}", param="x-steelyard-label"
        )
    header_label = Label(in_header)
    return header_label if in_body is None else max(in_body, header_label, key=labels.index)


def _header(headers: dict[bytes, bytes], name: bytes, length_max: int) -> str | None:
    value = headers.get(name)
    if value is None:
        return None
    text = value.decode("latin-1")
    if not 0 < len(text) <= length_max or not text.isprintable():
        raise InvalidRequestError(
            f"the header {name.decode()} must be 1 to {length_max} printable characters", param=name.decode()
        )
    return text
