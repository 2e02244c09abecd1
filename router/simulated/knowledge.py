"""What a scripted model says: which documents it is shown, and its answers from gold, skill and a seed.

Every draw is a hash of the seed and of what is drawn for, so that an answer depends on nothing else:
not on the order of requests, and not on who else asks.
"""

import hashlib
from collections.abc import Sequence

from router.json_types import JsonObject, JsonValue
from router.simulated.script import Known, Persona, Skill


class Knowledge:
    """The documents of a script, and chance."""

    def __init__(self, documents: Sequence[Known], seed: int) -> None:
        self._documents = documents
        self._seed = seed

    def shown_in(self, text: str) -> list[Known]:
        """The documents that stand in `text`, in its order."""
        found = [(text.find(known.text), known) for known in self._documents]
        return [known for at, known in sorted(found, key=lambda each: each[0]) if at >= 0]

    def holding(self, excerpts: Sequence[str]) -> list[Known]:
        """The documents in which most of `excerpts` stand: of a bundle, a value may be shown where it is another
        document's, too."""
        counted = [(sum(each in known.text for each in excerpts), known) for known in self._documents]
        most = max((count for count, _ in counted), default=0)
        return [known for count, known in counted if count == most > 0]

    def answers(self, persona: Persona, known: Known) -> JsonObject:
        """What `persona` answers about a document."""
        if persona.cheap:
            return known.cheap
        return {name: self._value(persona.skill, known, name) for name in known.gold}

    def is_right(self, known: Known, name: str, claimed: JsonValue) -> bool:
        """Whether a claimed value is gold's, case and spaces aside."""
        return normalised(claimed) == normalised(known.gold.get(name))

    def doubts(self, skill: Skill, known: Known, name: str, claimed: JsonValue) -> bool:
        """Whether an auditor takes a claimed value for wrong."""
        right = self.is_right(known, name, claimed)
        rate = skill.false_positives if right else skill.true_positives
        return self.chance("audit", known.key, name) < rate

    def _value(self, skill: Skill, known: Known, name: str) -> JsonValue:
        gold = known.gold[name]
        hard = normalised(known.cheap.get(name)) != normalised(gold)
        rate = skill.right * (skill.right_where_cheap_is_wrong if hard else 1.0)
        if self.chance("answer", known.key, name) < rate:
            return gold
        return known.cheap[name] if hard else _spoilt(gold)

    def chance(self, *about: str) -> float:
        """A number in [0, 1), the same whenever it is asked about the same."""
        digest = hashlib.sha256("\0".join((str(self._seed), *about)).encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64


def _spoilt(value: JsonValue) -> JsonValue:
    """A wrong value in place of a right one: its last digit or letter changed."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, (int, float)):
        return value + 1
    for place in range(len(value) - 1, -1, -1):
        if value[place].isdigit():
            return f"{value[:place]}{(int(value[place]) + 1) % 10}{value[place + 1 :]}"
    return value[:-1] if len(value) > 1 else f"{value}x"


def normalised(value: JsonValue) -> str:
    """A value for comparison: its text without spaces, in one case."""
    return "".join(str(value).split()).casefold()
