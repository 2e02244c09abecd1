"""What scanning does to a document: letters misread, spaces lost and won, lines joined. What is asked for is what then stands there."""

from training.documents.chance import Chance
from training.documents.paper import Paper, Piece

_MISREAD = {"O": "0", "0": "O", "I": "1", "1": "I", "S": "5", "B": "8", "H": "N", "D": "O", "Y": "V", "E": "F", "G": "C", "l": "1", "e": "c", "n": "r", "o": "0", "a": "o", "M": "N", "T": "I", "U": "V"}  # fmt: skip
NUMERIC = ("date", "total", "subtotal", "tax", "discount", "cash", "change", "rounding", "quantity", "amount", "price", "count", "rate", "weight", "packages", "service_charge")  # fmt: skip
"""Ends of the names of facts that are also asked for as numbers and days: those keep their digits."""


def scanned(paper: Paper, chance: Chance) -> None:
    """Do to `paper` what a scan of some quality does."""
    share = chance.weighted((5, 0.0), (3, 0.002), (2, 0.008), (1, 0.02))
    spaces = chance.weighted((5, 0.0), (3, 0.01), (1, 0.04))
    if share or spaces:
        paper.lines = [[_piece(piece, chance, share, spaces) for piece in line] for line in paper.lines]
    if chance.maybe(0.12) and len(paper.lines) > 6:
        for _ in range(chance.number(1, 3)):
            at = chance.number(3, len(paper.lines) - 2)
            joined = [*paper.lines[at], ("  ", None), *paper.lines[at + 1]]
            paper.lines[at : at + 2] = [joined]
    if chance.maybe(0.06):
        for _ in range(chance.number(1, 2)):
            junk = chance.of(
                (
                    chance.digits(4),
                    "*" * chance.number(1, 4),
                    chance.letters(2),
                    ".",
                    "|",
                    chance.pattern("##/##"),
                    chance.word(),
                )
            )
            paper.lines.insert(chance.number(0, len(paper.lines)), [(junk, None)])


def _piece(piece: Piece, chance: Chance, share: float, spaces: float) -> Piece:
    text, fact = piece
    if fact is not None and fact.endswith(NUMERIC):
        return piece
    letters = []
    for letter in text:
        if letter in _MISREAD and chance.maybe(share):
            letters.append(_MISREAD[letter])
        elif letter == " " and chance.maybe(spaces):
            letters.append("" if chance.maybe(0.6) else "  ")
        elif letter in ",.:" and chance.maybe(spaces):
            letters.append(" " + letter if chance.maybe(0.6) else "")
        else:
            letters.append(letter)
    return "".join(letters), fact
