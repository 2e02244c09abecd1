"""The part of a document that an item of a list was read from, as its other fields show it.

Sixty receipts in one document: the third one's total stands after what is known of the second and
before what is known of the fourth. An answer's lists follow the order of the document.
"""

import re
from bisect import bisect_left
from collections.abc import Collection
from statistics import median_low

from verifiers.answer import Answer, LeafValue
from verifiers.checks.support import check_support
from verifiers.document import Document
from verifiers.found import Placed
from verifiers.labels import NO_LABEL, Label

NEAR_CHARS = 2_000
"""What belongs to one item stands no further apart than this."""
NEIGHBOURS_TRIED = 3
_ITEM = re.compile(r"(.*)\[(\d+)\]\.")
_INDEX = re.compile(r"\[\d+\]")


def generic(path: str) -> str:
    """`items[3].amount` -> `items[].amount`."""
    return _INDEX.sub("[]", path)


class Regions:
    """The regions of one answer's items, each found when it is asked for."""

    def __init__(
        self, document: Document, labels: dict[str, Label], answer: Answer, doubtful: Collection[str]
    ) -> None:
        self._document, self._labels = document, labels
        self._items: dict[str, dict[int, list[LeafValue]]] = {}
        self._known: dict[tuple[str, int], Placed | None] = {}
        for leaf in answer.leaves:
            item = _ITEM.match(leaf.path)
            if item is not None and leaf.path not in doubtful:
                self._items.setdefault(item[1], {}).setdefault(int(item[2]), []).append(leaf)

    def of(self, path: str) -> Placed:
        """Where to look for the field at `path`: the whole document, if it is of no list or nothing is known."""
        whole = Placed(0, len(self._document.text))
        item = _ITEM.match(path)
        if item is None:
            return whole
        of_list, index = item[1], int(item[2])
        own = self._place(of_list, index)
        before, after = self._neighbour(of_list, index, -1), self._neighbour(of_list, index, 1)
        start = before.end if before is not None else whole.start
        end = after.start if after is not None else whole.end
        if own is not None:
            start = start if start <= own.start else whole.start
            end = end if end >= own.end else whole.end
            start, end = max(start, own.end - NEAR_CHARS, 0), min(end, own.start + NEAR_CHARS)
        return Placed(start, end) if start < end else whole

    def _neighbour(self, of_list: str, index: int, step: int) -> Placed | None:
        for distance in range(1, NEIGHBOURS_TRIED + 1):
            place = self._place(of_list, index + step * distance)
            if place is not None:
                return place
        return None

    def _place(self, of_list: str, index: int) -> Placed | None:
        key = (of_list, index)
        if key not in self._known:
            self._known[key] = self._find(of_list, index)
        return self._known[key]

    def _find(self, of_list: str, index: int) -> Placed | None:
        """From the first to the last place of what is known of an item, around its rarest value."""
        items = self._items.get(of_list, {})
        found = [places for leaf in items.get(index, ()) if (places := self._places(leaf))]
        if not found:
            return None
        rarest = min(found, key=len)
        expected = index * len(self._document.text) // (max(items) + 1)
        anchor = _nearest(rarest, expected).start
        near = [_nearest(places, anchor) for places in found]
        near = [place for place in near if abs(place.start - anchor) <= NEAR_CHARS]
        middle = median_low([place.start for place in near])
        near = [place for place in near if abs(place.start - middle) <= NEAR_CHARS // 2]
        return Placed(min(place.start for place in near), max(place.end for place in near))

    def _places(self, leaf: LeafValue) -> tuple[Placed, ...]:
        return check_support(self._document, leaf, self._labels.get(generic(leaf.path), NO_LABEL)).places


def _nearest(places: tuple[Placed, ...], at: int) -> Placed:
    index = bisect_left(places, (at, at))
    return min(places[max(index - 1, 0) : index + 1], key=lambda place: abs(place.start - at))
