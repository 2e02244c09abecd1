"""Parts that documents of many kinds have: who sells, what, for how much, and how it was paid."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from training.documents.countries import address, filled, firm
from training.documents.paper import Paper, Piece
from training.documents.style import Style

_THINGS = ("NASI LEMAK", "TEH TARIK", "ICED COFFEE", "CABLE", "PAINT BRUSH", "BATTERY AA", "NOTEBOOK A4", "BOLT", "PLASTIC BOX", "T-SHIRT", "RICE", "FRIED NOODLE", "CHICKEN", "LAMP", "PIPE", "MARKER PEN", "SHAMPOO", "MILK 1L", "BREAD", "SODA", "HAMMER", "TAPE", "Consulting", "Service fee", "Pump", "Filter", "Kaffee", "Brot", "Pizza", "Vin rouge", "Queso", "Toner", "Licence", "Transport", "Maintenance", "Screw", "Glue", "Chair", "Cement", "Soap", "Fish", "Egg", "Tyre", "Engine oil", "Cake", "Set")  # fmt: skip
_SIZES = ("", "", "", " 500ML", " 1KG", " (L)", " #4", " 12PCS", ' 3.5"', " X2", " 1000ml", " 10x20", " A4", " 5L", " 18W", " 2M")  # fmt: skip
_CODES = ("########", "#############", "@@##", "@@##-##", "####", "@######", "##-####", "@@@-###")


Said: TypeAlias = "Callable[[str, int, str | None], None]"
"""Prints an amount: label, cents, fact."""


def hundredths(cents: int) -> Decimal:
    """An amount as it is printed, with two digits behind the point."""
    return Decimal(cents).scaleb(-2)


def money(style: Style, cents: int, fact: str | None = None, *, bare: bool = False) -> list[Piece]:
    """An amount, with or without its currency; the fact is the number alone."""
    number = (style.amount(cents), fact)
    if bare or not style.currency:
        return [number]
    gap = style.chance.of((" ", "", " "))
    if style.currency_first:
        return [(style.currency + gap, None), number]
    return [number, (" " + style.currency, None)]


def labelled(paper: Paper, style: Style, name: str, *value: str | Piece) -> None:
    """A label and its value: on one line, rarely on two, in either order."""
    label = style.label(name)
    pieces = [(part, None) if isinstance(part, str) else part for part in value]
    how = style.chance.number(0, 39)
    if how == 0:
        paper.lines += [pieces, [(label, None)]]
    elif how == 1:
        paper.lines += [[(label, None)], pieces]
    else:
        gap = style.gap if style.chance.maybe(0.4) else style.colon
        paper.lines.append([(label + gap, None), *pieces])


def seller(paper: Paper, style: Style, who: str = "seller") -> None:
    """A firm's head: name, register, address, telephone and tax number, most of them in most documents."""
    chance, country = style.chance, style.country
    if who == "seller" and chance.maybe(0.08):
        paper.say(style.cased(chance.word() + " " + chance.word()))
    name = style.cased(firm(country, chance))
    cut = name.rfind(" ", 0, 28) if len(name) > 30 and chance.maybe(0.3) else -1
    register = filled(chance.of(country.registers), country, chance)
    has_register = chance.maybe(0.5)
    if cut > 0:
        paper.say_as(f"{who}_name", (name[:cut], name[cut + 1 :]))
    elif has_register and chance.maybe(0.2):
        paper.say((name, f"{who}_name"), " " + register)
        has_register = False
    else:
        paper.say((name, f"{who}_name"))
    others: list[Callable[[], None]] = [
        lambda: _contact(paper, style, who),
        lambda: _tax_id(paper, style, who),
    ]
    if has_register:
        paper.say((register, f"{who}_register"))
    if chance.maybe(0.12):
        chance.of(others)()
    if chance.maybe(0.93):
        paper.say_as(f"{who}_address", map(style.cased, address(country, chance)))
    if chance.maybe(0.1):
        paper.say(f"({style.cased(chance.word() + ' ' + chance.word())})")
    for other in chance.shuffled(others):
        if chance.maybe(0.75):
            other()


def _contact(paper: Paper, style: Style, who: str) -> None:
    chance = style.chance
    phone = (chance.pattern(chance.of(style.country.phones)).strip(), f"{who}_phone")
    if any(fact == f"{who}_phone" for line in paper.lines for _, fact in line):
        return
    if chance.maybe(0.3):
        fax = chance.pattern(chance.of(style.country.phones)).strip()
        paper.say(
            style.label("phone") + style.colon, phone, style.gap + style.label("fax") + style.colon + fax
        )
    else:
        paper.say(style.label("phone") + style.colon, phone)
    if chance.maybe(0.25):
        domain = chance.word() + chance.of((".com", ".com.my", ".net", ".de", ".co.uk", ".eu"))
        if chance.maybe(0.6):
            box = chance.of(("info", "sales", "contact", chance.word()))
            paper.say(style.label("mail") + style.colon, (f"{box}@{domain}", f"{who}_email"))
        else:
            paper.say((f"www.{domain}", f"{who}_website"))


def _tax_id(paper: Paper, style: Style, who: str) -> None:
    label, form = style.chance.of(style.country.tax_ids)
    if not any(fact == f"{who}_tax_id" for line in paper.lines for _, fact in line):
        pieces: list[str | Piece] = [label + style.colon, (style.chance.pattern(form), f"{who}_tax_id")]
        if style.chance.maybe(0.1):
            pieces = ["(", *pieces, ")"]
        paper.say(*pieces)


@dataclass(frozen=True)
class Item:
    """Something that was sold."""

    name: str
    quantity: int
    price: int
    """In cents."""

    @property
    def amount(self) -> int:
        """In cents."""
        return self.quantity * self.price


def items(style: Style, most: int) -> list[Item]:
    """What was sold."""
    chance = style.chance
    found = []
    for _ in range(
        chance.weighted(
            (3, chance.number(1, 3)), (3, chance.number(1, most // 2 + 1)), (3, chance.number(1, most))
        )
    ):
        name = chance.of(_THINGS) + chance.of(_SIZES)
        if chance.maybe(0.5):
            name = (
                f"{chance.word()} {name}"
                if chance.maybe(0.6)
                else f"{chance.word()} {chance.word()}{chance.of(_SIZES)}"
            )
        found.append(
            Item(
                style.cased(name),
                chance.weighted((6, 1), (2, chance.number(2, 6)), (1, chance.number(2, 60))),
                chance.cents(50, chance.of((2_000, 9_000, 90_000))),
            )
        )
    return found


def item_lines(paper: Paper, style: Style, sold: list[Item]) -> None:
    """A table of what was sold, as one of many tills prints it."""
    chance = style.chance
    form, code = chance.number(0, 7), chance.maybe(0.4)
    mark = chance.of(("", "", "", " SR", " S", " *", " T1", "SR", " ZRL"))
    if chance.maybe(0.6):
        names = [style.label(name) for name in ("item", "quantity", "price", "amount")]
        paper.say(style.gap.join(names if chance.maybe(0.5) else chance.some(names, 2, 4)))
    for number, item in enumerate(sold):
        at = f"items.{number}."
        name: Piece = (item.name, at + "description")
        quantity: Piece = (str(item.quantity), at + "quantity")
        price: Piece = (style.amount(item.price), at + "unit_price")
        amount: Piece = (style.amount(item.amount), at + "amount")
        paper.numbers |= {
            at + "quantity": Decimal(item.quantity),
            at + "unit_price": hundredths(item.price),
            at + "amount": hundredths(item.amount),
        }
        code_text = chance.pattern(chance.of(_CODES)) if code else ""
        gap = style.gap
        if form == 0:
            paper.say(name)
            paper.say(
                *([code_text + gap] if code else []),
                quantity,
                chance.of((" X ", " x ", "  X  ")),
                price,
                gap,
                amount,
                mark,
            )
        elif form == 1:
            paper.say(*([code_text + gap] if code else []), quantity, gap, price, gap, amount, mark)
            paper.say(name)
        elif form == 2:
            paper.say(quantity, " ", name, gap, amount, mark)
        elif form == 3:
            paper.say(name, gap, quantity, gap, price, gap, amount, mark)
        elif form == 4:
            paper.say(f"{number + 1}. " + (code_text + gap if code else ""), name)
            paper.say(quantity, " PC  *  ", price, gap, "0.00", gap, amount)
        elif form == 5:
            paper.say(name, gap, amount, mark)
        elif form == 6:
            paper.say(quantity, "X " + code_text + gap, amount, mark)
            paper.say(name)
        else:
            paper.say(*([code_text + gap] if code else []), name, gap, quantity, gap, amount)
    if chance.maybe(0.3):
        labelled(paper, style, "items", (str(sum(item.quantity for item in sold)), "item_count"))
        paper.numbers["item_count"] = Decimal(sum(item.quantity for item in sold))


def totals(paper: Paper, style: Style, sold: list[Item], *, paid: bool) -> None:
    """From the sum of all items to what is to be paid; with distractors before and behind."""
    sums = _Sums(paper, style, sum(item.amount for item in sold))
    sums.before()
    total = sums.total()
    if paid:
        _payment(paper, style, sums.said, total)
    sums.summary(total)


class _Sums:
    def __init__(self, paper: Paper, style: Style, net: int) -> None:
        self._paper, self._style, self._chance, self._net = paper, style, style.chance, net
        self._rate = style.chance.of(style.country.rates)
        self._tax = round(net * self._rate / 100)
        self._included = style.chance.maybe(0.6)
        self._due = net if self._included else net + self._tax
        self._named = set[str]()

    def said(self, name: str, cents: int, fact: str | None, *, bare: bool | None = None) -> None:
        """An amount with its label. It says the fact the first time alone."""
        if fact in self._named:
            fact = None
        if fact is not None:
            self._named.add(fact)
            self._paper.numbers[fact] = hundredths(cents)
        is_bare = self._chance.maybe(0.6) if bare is None else bare
        labelled(self._paper, self._style, name, *money(self._style, cents, fact, bare=is_bare))

    def before(self) -> None:
        """What is said before the total."""
        chance = self._chance
        if chance.maybe(0.6):
            self.said("subtotal", self._net - (self._tax if self._included else 0), "subtotal")
        if chance.maybe(0.25):
            off = chance.weighted((3, 0), (1, round(self._due * chance.number(1, 20) / 100)))
            self.said("discount", off, "discount")
            self._due -= off
        if chance.maybe(0.08):
            extra = round(self._due / 10)
            self.said("service", extra, "service_charge")
            self._due += extra
        if chance.maybe(0.36):
            self.said("tax", self._tax, "tax")
        elif chance.maybe(0.4):
            self._paper.numbers |= {"tax_rate": Decimal(self._rate), "tax": hundredths(self._tax)}
            self._paper.say(
                self._style.cased(self._style.country.tax) + chance.of((" @ ", " ", " @")),
                (str(self._rate), "tax_rate"),
                "%" + self._style.colon,
                (self._style.amount(self._tax), "tax"),
            )

    def total(self) -> int:
        """What is to be paid, in cents: rounded where people do that."""
        chance, total = self._chance, self._due
        rounded = round(total / 5) * 5
        if rounded != total and self._style.country.code in ("MYR", "SGD", "SEK") and chance.maybe(0.7):
            if chance.maybe(0.7):
                self.said("total", total, None)
            self.said("rounding", rounded - total, "rounding")
            total = rounded
            self.said("rounded" if chance.maybe(0.6) else "total", total, "total")
        else:
            if chance.maybe(0.2):
                self.said("rounding", 0, "rounding")
            self.said("total", total, "total")
        if chance.maybe(0.15):
            self.said("total", total, None)
        return total

    def summary(self, total: int) -> None:
        """What some tills print of the tax behind all else."""
        style, chance, rate, tax = self._style, self._chance, self._rate, self._tax
        if style.country.tax != "GST" or not chance.maybe(0.5):
            return
        self._paper.say(
            style.cased(f"GST SUMMARY{style.gap}AMOUNT({style.country.currency[0]}){style.gap}TAX")
        )
        form = chance.of(
            (f"SR @ {rate}%", f"SR = {rate} %", f"S@{rate}%", f"SR{style.gap}{rate}", f"GST S@{rate}%")
        )
        self._paper.say(form + style.gap + style.amount(total - tax) + style.gap + style.amount(tax))
        if chance.maybe(0.4):
            both = style.amount(total - tax) + style.gap + style.amount(tax)
            self._paper.say(style.cased("Total") + style.colon + both)


def _payment(paper: Paper, style: Style, said: "Said", total: int) -> None:
    chance = style.chance
    if chance.maybe(0.7):
        note = chance.of((500, 1_000, 2_000, 5_000, 10_000))
        given = total if chance.maybe(0.25) else -(-total // note) * note
        if chance.maybe(0.95):
            said("cash", given, "cash")
        if chance.maybe(0.9):
            said("change", given - total, "change")
    elif chance.maybe(0.8):
        label = style.label("card")
        paper.say((label, "payment_method"), style.gap, *money(style, total, None, bare=chance.maybe(0.6)))
        if chance.maybe(0.4):
            paper.say(chance.of(("XXXX XXXX XXXX ", "************", "**** **** **** ")) + chance.digits(4))


def day(paper: Paper, style: Style, name: str, fact: str, on: date) -> None:
    """A day with its label, often with a time, sometimes neither alone."""
    chance = style.chance
    paper.days[fact] = on
    written: Piece = (style.written(on), fact)
    time: Piece = (style.time(), "time")
    how = chance.number(0, 9)
    if how < 4:
        labelled(paper, style, name, written)
    elif how < 7:
        labelled(paper, style, name, written, chance.of((" ", "  ", " / ")), time)
    elif how == 7:
        paper.say(written, " ", time)
    elif how == 8:
        paper.say(written, style.gap, time, style.gap, chance.pattern("SH## @0## T# R000######"))
    else:
        paper.say(
            style.label(name) + style.colon, written, style.gap + style.label("time") + style.colon, time
        )
