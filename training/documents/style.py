"""How one document is printed: letters, gaps, amounts, days. All its parts share one style."""

from dataclasses import dataclass
from datetime import date, timedelta

from training.documents.chance import Chance
from training.documents.countries import COUNTRIES, Country
from training.documents.labels import MONTHS, Labels, labels

MALAYSIAN_SHARE = 0.4
"""Of all documents: receipts from there are what others measure extraction by."""
_FIRST, _LAST = date(2009, 1, 1), date(2027, 12, 31)


@dataclass(frozen=True)
class Style:
    """One document's."""

    chance: Chance
    country: Country
    labels: Labels
    upper: bool
    gap: str
    """Between columns."""
    colon: str
    """Between a label and its value."""
    day_form: str
    currency: str
    currency_first: bool
    thousands: bool

    @staticmethod
    def of(chance: Chance) -> "Style":
        """Draw one."""
        names = [name for name in COUNTRIES if name != "my"]
        country = COUNTRIES["my" if chance.maybe(MALAYSIAN_SHARE) else chance.of(names)]
        return Style(
            chance,
            country,
            labels(country.language),
            chance.maybe(0.7 if country.language == "en" else 0.25),
            chance.of(("  ", "  ", "  ", " ", "\t", "    ")),
            chance.of((": ", " : ", " ", ":", "  ", ": ", ":  ", " :  ")),
            chance.of(country.days),
            chance.of(country.currency),
            chance.maybe(0.7) if not country.comma else chance.maybe(0.3),
            chance.maybe(0.7),
        )

    def cased(self, text: str) -> str:
        """As this document has its letters."""
        return text.upper() if self.upper else text

    def label(self, name: str) -> str:
        """What is printed beside a value."""
        return self.cased(self.chance.of(self.labels[name]))

    def amount(self, cents: int) -> str:
        """An amount without its currency."""
        whole, part = divmod(abs(cents), 100)
        text = f"{whole:,}" if self.thousands else str(whole)
        text += f".{part:02}"
        if self.country.comma:
            text = text.translate(str.maketrans(",.", ".,"))
        return f"-{text}" if cents < 0 else text

    def day(self) -> date:
        """A day."""
        return _FIRST + timedelta(days=self.chance.number(0, (_LAST - _FIRST).days))

    def written(self, day: date, form: str | None = None) -> str:
        """A day as this document writes days."""
        form = form or self.day_form
        months = MONTHS[self.country.language]
        text = form.replace("%B", months[day.month - 1]).replace("%b", months[day.month - 1][:3])
        text = day.strftime(text)
        return self.cased(text)

    def time(self) -> str:
        """A time of the day."""
        hour, minute, second = (self.chance.number(0, most) for most in (23, 59, 59))
        return self.chance.weighted(
            (4, f"{hour:02}:{minute:02}"),
            (3, f"{hour:02}:{minute:02}:{second:02}"),
            (2, f"{(hour + 11) % 12 + 1}:{minute:02}:{second:02} {'AM' if hour < 12 else 'PM'}"),
            (1, f"{(hour + 11) % 12 + 1}:{minute:02}{'am' if hour < 12 else 'pm'}"),
            (1, f"{hour:02} {minute:02} {second:02}"),
        )

    def person(self) -> str:
        """A person's name."""
        return self.cased(" ".join(self.chance.word().title() for _ in range(self.chance.number(1, 3))))
