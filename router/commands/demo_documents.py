"""The documents of the demo: our own writing in `examples/documents/`, gold values beside them."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from router.errors import InvalidRequestError
from router.json_types import JsonObject

FOLDER = Path("examples") / "documents"
INDEX = "index.jsonl"
ANSWER = "answer"
"""What `expect` says of a document that a model reads; else it is the code of the refusal."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the examples' index."""

    file: str
    schema: str
    about: str
    gold: JsonObject | None
    """None where nothing can be right: a refusal is expected."""
    expect: str

    @property
    def answerable(self) -> bool:
        """A model is to answer."""
        return self.expect == ANSWER


def documents_folder(named: Path | None) -> Path:
    """The folder of the examples: the one that was named, else the checkout's.

    The checkout is looked for from the working directory upwards, then around this program. Raises
    InvalidRequestError.
    """
    here = Path.cwd()
    program = Path(__file__).resolve().parents[2]
    places = [named] if named is not None else [place / FOLDER for place in (here, *here.parents, program)]
    for place in places:
        if (place / INDEX).is_file():
            return place.resolve()
    raise InvalidRequestError(
        f"there are no example documents at {places[0]}; run this in a checkout of the repository, or name their folder with --documents"
    )


def read_index(folder: Path, limit: int | None) -> list[Sample]:
    """The index's lines in order; with `limit` only so many that a model answers, and all refusals.

    Raises InvalidRequestError.
    """
    try:
        lines = [orjson.loads(line) for line in (folder / INDEX).read_bytes().splitlines() if line.strip()]
        samples = [
            Sample(line["file"], line["schema"], line["about"], line["gold"], line["expect"])
            for line in lines
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InvalidRequestError(f"{folder / INDEX} is no index of example documents: {error}") from error
    answerable = [sample for sample in samples if sample.answerable][:limit]
    return [sample for sample in samples if not sample.answerable or sample in answerable]
