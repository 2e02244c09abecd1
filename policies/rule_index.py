"""Which rules apply to a request, found in the time of a dozen look-ups however many rules there are.

A set of rules is an integer, bit n for rule n. For each fact, the values that some rule names are known
with the rules that they leave possible, and so is "any other value"; for numbers, the steps between the
thresholds that rules name. The rules that apply are what all the facts leave possible together.

A value that no rule could have meant (a label or a kind that does not exist) leaves every rule possible:
what cannot be judged is held to all the rules.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence

from policies.conditions import Conditions
from policies.facts import Facts, Label, TaskKind


class RuleIndex:
    """The conditions of rules, compiled. It agrees with `Conditions.hold`, which a test holds."""

    def __init__(self, rules: Sequence[Conditions]) -> None:
        self._every = (1 << len(rules)) - 1
        self._projects, self._other_project = _by_word([rule.projects for rule in rules])
        self._keys, self._other_key = _by_word([rule.keys for rule in rules])
        self._purposes, self._other_purpose = _by_word([rule.purposes for rule in rules])
        self._classes, self._other_class = _by_word([rule.task_classes for rule in rules])
        self._environments: Mapping[str | None, int]
        self._environments, self._other_environment = _by_word([rule.environments for rule in rules])
        self._environments[None] = self._every
        self._kinds = {
            kind: _mask(not rule.kinds or kind in rule.kinds for rule in rules) for kind in TaskKind
        }
        self._labels: dict[Label | None, int] = {
            label: _mask(rule.label is None or rule.label.rank <= label.rank for rule in rules)
            for label in Label
        }
        self._labels[None] = self._labels[Label.PUBLIC]
        self._tools = _mask(not rule.tools for rule in rules), self._every
        self._images = _mask(not rule.images for rule in rules), self._every
        above = [rule.context_tokens_above for rule in rules]
        self._steps = sorted({tokens for tokens in above if tokens is not None})
        self._at_step = [
            _mask(each is None or each in self._steps[:step] for each in above)
            for step in range(len(self._steps) + 1)
        ]

    def applying(self, facts: Facts, label: Label | None) -> int:
        """The rules that apply to a request; `label` is the one in force."""
        other = self._other_class
        return (
            self._kinds.get(facts.kind, self._every)
            & self._labels.get(label, self._every)
            & (self._classes.get(facts.task_class, other) | self._classes.get(facts.found_class, other))
            & self._projects.get(facts.project, self._other_project)
            & self._keys.get(facts.key_id, self._other_key)
            & self._purposes.get(facts.purpose, self._other_purpose)
            & self._environments.get(facts.environment, self._other_environment)
            & self._at_step[bisect_left(self._steps, facts.context_tokens)]
            & self._tools[facts.tools]
            & self._images[facts.images]
        )


def members(rules: int) -> Iterator[int]:
    """The numbers of the rules in a set, in order."""
    while rules:
        lowest = rules & -rules
        yield lowest.bit_length() - 1
        rules ^= lowest


def _by_word(named: Sequence[Collection[str] | None]) -> tuple[dict[str | None, int], int]:
    """The rules that each word leaves possible, and those that any other does."""
    indifferent = _mask(words is None for words in named)
    words = {word for each in named if each is not None for word in each}
    return {
        word: indifferent | _mask(each is not None and word in each for each in named) for word in words
    }, indifferent


def _mask(chosen: "Iterator[bool]") -> int:
    return sum(1 << number for number, is_chosen in enumerate(chosen) if is_chosen)
