"""The part of a document that an item of a list was read from, as its other fields show it.

Sixty receipts in one document: the third one's total stands after what is known of the second and
before what is known of the fourth, and after that receipt's first field, if it does so in its
neighbours. An answer's lists follow the order of the document.
"""

import re
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median_low

from verifiers import dates
from verifiers.answer import Answer, LeafValue
from verifiers.document import TEXT_PLACES_MAX
from verifiers.found import Placed
from verifiers.indexed import Indexed
from verifiers.labels import NO_LABEL, Label

NEAR_CHARS = 2_000
"""What belongs to one item stands no further apart than this."""
NEIGHBOURS_TRIED, SURE_TRIED = 3, 5
_ITEM = re.compile(r"(.*)\[(\d+)\]\.")
_INDEX = re.compile(r"\[\d+\]")


def generic(path: str) -> str:
    """`items[3].amount` -> `items[].amount`."""
    return _INDEX.sub("[]", path)


@dataclass(frozen=True, slots=True)
class _Item:
    """Where the known fields of one item stand, by their names within it."""

    places: dict[str, Placed]

    @property
    def start(self) -> int:
        """Where its first known field begins."""
        return min(place.start for place in self.places.values())

    @property
    def end(self) -> int:
        """Where its last known field ends."""
        return max(place.end for place in self.places.values())

    def is_first(self, name: str) -> bool:
        """Whether no other field stands before the one called `name`."""
        return self.places[name].start == self.start


class Regions:
    """The regions of one answer's items, each found when it is asked for."""

    def __init__(
        self, indexed: Indexed, labels: dict[str, Label], answer: Answer, doubtful: Collection[str]
    ) -> None:
        self._indexed, self._labels = indexed, labels
        self._leaves: dict[str, dict[int, list[LeafValue]]] = {}
        self._items: dict[tuple[str, int], _Item | None] = {}
        self._places_of: dict[tuple[str, int], dict[str, tuple[Placed, ...]]] = {}
        for leaf in answer.leaves:
            item = _ITEM.match(leaf.path)
            if item is not None and leaf.path not in doubtful:
                self._leaves.setdefault(item[1], {}).setdefault(int(item[2]), []).append(leaf)

    def of(self, path: str) -> Placed:
        """Where to look for the field at `path`: the whole document, if it is of no list or nothing is known."""
        whole = Placed(0, len(self._indexed.document.text))
        match = _ITEM.match(path)
        if match is None:
            return whole
        of_list, index, name = match[1], int(match[2]), path[match.end() :]
        own = self._item(of_list, index)
        before, after = self._neighbours(of_list, index, -1), self._neighbours(of_list, index, 1)
        start = before[0].end if before else whole.start
        end = after[0].start if after else whole.end
        if own is not None:
            start = start if start <= own.start else whole.start
            end = end if end >= own.end else whole.end
            start, end = max(start, own.end - NEAR_CHARS, 0), min(end, own.start + NEAR_CHARS)
            alike = [item for item in (*before, *after) if name in item.places and len(item.places) > 1]
            if alike and not any(item.is_first(name) for item in alike):
                start = max(start, own.start)
        return Placed(start, end) if start < end else whole

    def _neighbours(self, of_list: str, index: int, step: int) -> list[_Item]:
        """The items next to one of which anything is known, the nearest first."""
        tried = (self._item(of_list, index + step * far) for far in range(1, NEIGHBOURS_TRIED + 1))
        return [item for item in tried if item is not None]

    def _item(self, of_list: str, index: int) -> _Item | None:
        key = (of_list, index)
        if key not in self._items:
            self._items[key] = self._find(of_list, index)
        return self._items[key]

    def _find(self, of_list: str, index: int) -> _Item | None:
        """What is known of an item, each field at its place nearest to the rarest value of all."""
        found = self._found(of_list, index)
        if not found:
            return None
        rarest = min(found.values(), key=len)
        anchor = (rarest[0] if len(rarest) == 1 else _nearest(rarest, self._expected(of_list, index))).start
        near = {name: _nearest(places, anchor) for name, places in found.items()}
        near = {name: place for name, place in near.items() if abs(place.start - anchor) <= NEAR_CHARS}
        middle = median_low([place.start for place in near.values()])
        return _Item(
            {name: place for name, place in near.items() if abs(place.start - middle) <= NEAR_CHARS // 2}
        )

    def _expected(self, of_list: str, index: int) -> int:
        """About where an item stands: between the next ones of which a value stands in the document once."""
        before = self._sure(of_list, index, -1) or (-1, 0)
        after = self._sure(of_list, index, 1) or (
            max(self._leaves[of_list]) + 1,
            len(self._indexed.document.text),
        )
        share = (index - before[0]) / (after[0] - before[0])
        return round(before[1] + share * (after[1] - before[1]))

    def _sure(self, of_list: str, index: int, step: int) -> tuple[int, int] | None:
        for far in range(1, SURE_TRIED + 1):
            once = [
                places[0].start
                for places in self._found(of_list, index + step * far).values()
                if len(places) == 1
            ]
            if once:
                return index + step * far, median_low(once)
        return None

    def _found(self, of_list: str, index: int) -> dict[str, tuple[Placed, ...]]:
        """Every place of each known field of an item, by the field's name within it."""
        key = (of_list, index)
        if key not in self._places_of:
            self._places_of[key] = {
                leaf.path.partition(f"{of_list}[{index}].")[2]: places
                for leaf in self._leaves.get(of_list, {}).get(index, ())
                if (places := self._places(leaf))
            }
        return self._places_of[key]

    def _places(self, leaf: LeafValue) -> tuple[Placed, ...]:
        """All places of a value; none of a text that stands so often that only the first of them were looked for."""
        places = self._indexed.support(leaf, self._labels.get(generic(leaf.path), NO_LABEL)).places
        is_value = leaf.amounts or (isinstance(leaf.value, str) and dates.readings(leaf.value))
        return places if is_value or len(places) < TEXT_PLACES_MAX else ()


def _nearest(places: tuple[Placed, ...], at: int) -> Placed:
    index = bisect_left(places, (at, at))
    return min(places[max(index - 1, 0) : index + 1], key=lambda place: abs(place.start - at))
