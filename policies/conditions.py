"""`when`: of which requests a rule speaks.

All that a rule names must hold; of a list, one word. What a client declares can only make more rules
hold: nothing here can be written as "all but", and a class that is declared stands beside the one that
was found. A key without an environment may belong to any, so rules about environments hold for it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from policies.facts import Facts, Label, TaskKind


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold of a request for a rule to apply; None and False ask for nothing."""

    teams: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    keys: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    environments: frozenset[str] | None = None
    kinds: frozenset[TaskKind] | None = None
    task_classes: frozenset[str] | None = None
    label: Label | None = None
    """This one or a more closed one."""
    context_tokens_above: int | None = None
    tools: bool = False
    images: bool = False

    def concern(self, team: str) -> bool:
        """Whether a request of `team` may meet them."""
        return self.teams is None or team in self.teams

    def hold(self, facts: Facts, label: Label | None) -> bool:
        """Whether a request of a team that they concern meets them; `label` is the one in force."""
        return (
            (self.projects is None or facts.project in self.projects)
            and (self.keys is None or facts.key_id in self.keys)
            and (self.purposes is None or facts.purpose in self.purposes)
            and (
                self.environments is None
                or facts.environment is None
                or facts.environment in self.environments
            )
            and (self.kinds is None or facts.kind in self.kinds)
            and (
                self.task_classes is None
                or facts.task_class in self.task_classes
                or facts.found_class in self.task_classes
            )
            and (self.label is None or (label or Label.PUBLIC).rank >= self.label.rank)
            and (self.context_tokens_above is None or facts.context_tokens > self.context_tokens_above)
            and (facts.tools or not self.tools)
            and (facts.images or not self.images)
        )

    def unmet(self, facts: Facts, label: Label | None) -> str | None:
        """The first of them that a request does not meet, in words; None if it meets them all."""
        words: tuple[tuple[str, Collection[str | None], frozenset[str] | None], ...] = (
            ("team", (facts.team,), self.teams),
            ("project", (facts.project,), self.projects),
            ("key", (facts.key_id,), self.keys),
            ("purpose", (facts.purpose,), self.purposes),
            ("environment", (facts.environment,), self.environments if facts.environment else None),
            ("kind", (facts.kind,), self.kinds),
            ("task_class", (facts.task_class, facts.found_class), self.task_classes),
        )
        for key, found, meant in words:
            if meant is not None and meant.isdisjoint(found):
                has = next(iter(found)) or "none"
                return f"{key} is {has}, and the rule is about {' or '.join(sorted(meant))}"
        if self.label is not None and (label or Label.PUBLIC).rank < self.label.rank:
            return f"label is {label or 'none'}, and the rule is about {self.label} and more closed ones"
        above = self.context_tokens_above
        if above is not None and facts.context_tokens <= above:
            return f"context_tokens is {facts.context_tokens:,} at most, and the rule is about more than {above:,}"
        if self.tools and not facts.tools:
            return "it has no tools"
        return "it has no images" if self.images and not facts.images else None

    def always_hold(self, kind: TaskKind, label: Label | None) -> bool:
        """Whether every request of `kind` meets them, whose label is at least `label`."""
        return (
            not any((self.projects, self.keys, self.purposes, self.environments, self.task_classes))
            and (self.kinds is None or kind in self.kinds)
            and (self.label is None or (label or Label.PUBLIC).rank >= self.label.rank)
            and self.context_tokens_above is None
            and not (self.tools or self.images)
        )

    def cover(self, other: "Conditions") -> bool:
        """Whether each request that meets `other` meets these too."""
        return (
            all(_covers(mine, theirs) for mine, theirs in self._listed(other))
            and (self.label is None or (other.label is not None and other.label.rank >= self.label.rank))
            and (
                self.context_tokens_above is None
                or (
                    other.context_tokens_above is not None
                    and other.context_tokens_above >= self.context_tokens_above
                )
            )
            and (other.tools or not self.tools)
            and (other.images or not self.images)
        )

    def may_meet(self, other: "Conditions") -> bool:
        """Whether a request may meet both; of classes it may have two, and a key without environment has all."""
        return all(
            mine is None or theirs is None or bool(mine & theirs)
            for mine, theirs in (
                (self.teams, other.teams),
                (self.projects, other.projects),
                (self.keys, other.keys),
                (self.purposes, other.purposes),
                (self.kinds, other.kinds),
            )
        )

    def _listed(self, other: "Conditions") -> tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...]:
        return (
            (self.teams, other.teams),
            (self.projects, other.projects),
            (self.keys, other.keys),
            (self.purposes, other.purposes),
            (self.environments, other.environments),
            (self.kinds, other.kinds),
            (self.task_classes, other.task_classes),
        )


def _covers(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
    return mine is None or (theirs is not None and theirs <= mine)
