"""The kinds of documents, each drawn from top to bottom."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from training.documents import parts
from training.documents.chance import Chance
from training.documents.countries import address, firm
from training.documents.paper import Paper
from training.documents.style import Style

_NUMBERS = ("CS00######", "INV-#####", "#######", "@@########", "INV/20##/####", "@-####", "########", "20########", "T# R000######", "#####-##", "OR##############", "@@@-######")  # fmt: skip
_TERMS = (
    "30 days",
    "14 days net",
    "COD",
    "C.O.D.",
    "NET 30",
    "Cash",
    "60 Tage",
    "30 jours",
    "NET 14",
    "2% 10 NET 30",
)


def receipt(style: Style) -> Paper:
    """From a till."""
    chance, paper = style.chance, Paper("receipt")
    parts.seller(paper, style)
    if chance.maybe(0.75):
        _title(paper, style)
    header: list[Callable[[], None]] = [lambda: _number(paper, style, "receipt_number")]
    on_top = chance.maybe(0.65)
    if on_top:
        header.append(lambda: parts.day(paper, style, "date", "date", style.day()))
    if chance.maybe(0.6):
        header.append(lambda: parts.labelled(paper, style, "cashier", (style.person(), "cashier")))
    if chance.maybe(0.2):
        header.append(lambda: parts.labelled(paper, style, "table", (str(chance.number(1, 60)), "table")))
    if chance.maybe(0.2):
        header.append(
            lambda: parts.labelled(
                paper, style, "member", (chance.digits(chance.number(5, 12)), "member_number")
            )
        )
    for part in chance.shuffled(header):
        part()
    if chance.maybe(0.15):
        paper.say("-" * chance.number(10, 40))
    sold = parts.items(style, 14)
    parts.item_lines(paper, style, sold)
    parts.totals(paper, style, sold, paid=chance.maybe(0.9))
    if not on_top and chance.maybe(0.95):
        parts.day(paper, style, "date", "date", style.day())
    if chance.maybe(0.2):
        parts.labelled(paper, style, "points", (str(chance.number(1, 900)), "points"))
    _phrases(paper, style, 0, 6)
    return paper


def invoice(style: Style) -> Paper:
    """Between firms."""
    chance, paper = style.chance, Paper("invoice")
    parts.seller(paper, style)
    _title(paper, style)
    on = style.day()
    header: list[Callable[[], None]] = [
        lambda: _number(paper, style, "invoice_number"),
        lambda: parts.day(paper, style, "date", "date", on),
    ]
    if chance.maybe(0.6):
        due = on + timedelta(days=chance.of((7, 14, 30, 45, 60)))
        paper.days["due_date"] = due
        header.append(lambda: parts.labelled(paper, style, "due", (style.written(due), "due_date")))
    if chance.maybe(0.4):
        header.append(
            lambda: parts.labelled(
                paper, style, "order", (chance.pattern(chance.of(_NUMBERS)), "order_number")
            )
        )
    if chance.maybe(0.4):
        header.append(
            lambda: parts.labelled(paper, style, "terms", (style.cased(chance.of(_TERMS)), "payment_terms"))
        )
    header.append(lambda: _party(paper, style, "buyer", "buyer"))
    for part in chance.shuffled(header):
        part()
    sold = parts.items(style, 10)
    parts.item_lines(paper, style, sold)
    parts.totals(paper, style, sold, paid=False)
    if chance.maybe(0.5):
        parts.labelled(paper, style, "bank", (style.cased(chance.word() + " Bank"), "bank"))
        parts.labelled(
            paper,
            style,
            "account",
            (
                chance.pattern(chance.of(("@@## #### #### #### ####", "############", "###-######-#"))),
                "account_number",
            ),
        )
    _phrases(paper, style, 0, 3)
    return paper


def delivery_note(style: Style) -> Paper:
    """What comes with goods: no prices."""
    chance, paper = style.chance, Paper("delivery note")
    parts.seller(paper, style)
    paper.say(
        style.cased(
            chance.of(
                (
                    "Delivery order",
                    "Delivery note",
                    "Lieferschein",
                    "Bon de livraison",
                    "Packing list",
                    "Albarán",
                )
            )
        )
    )
    header: list[Callable[[], None]] = [
        lambda: parts.labelled(
            paper, style, "tracking", (chance.pattern(chance.of(_NUMBERS)), "delivery_number")
        ),
        lambda: parts.day(paper, style, "date", "date", style.day()),
        lambda: _party(paper, style, "ship", "buyer"),
    ]
    if chance.maybe(0.5):
        header.append(
            lambda: parts.labelled(
                paper, style, "order", (chance.pattern(chance.of(_NUMBERS)), "order_number")
            )
        )
    if chance.maybe(0.4):
        header.append(lambda: parts.labelled(paper, style, "carrier", (style.person(), "carrier")))
    for part in chance.shuffled(header):
        part()
    for number, item in enumerate(parts.items(style, 10)):
        at = f"items.{number}."
        paper.numbers[at + "quantity"] = Decimal(item.quantity)
        paper.say((item.name, at + "description"), style.gap, (str(item.quantity), at + "quantity"))
    if chance.maybe(0.6):
        weight = chance.number(1, 900)
        paper.numbers["weight"] = Decimal(weight)
        parts.labelled(paper, style, "weight", (str(weight), "weight"), " kg")
    if chance.maybe(0.5):
        packages = chance.number(1, 40)
        paper.numbers["packages"] = Decimal(packages)
        parts.labelled(paper, style, "packages", (str(packages), "packages"))
    _phrases(paper, style, 0, 2)
    return paper


def form(style: Style) -> Paper:
    """Filled in by a person."""
    chance, paper = style.chance, Paper("form")
    paper.say(
        style.cased(
            chance.of(
                (
                    "Application form",
                    "Registration",
                    "Claim form",
                    "Membership",
                    "Antrag",
                    "Formulaire",
                    "Solicitud",
                    "Modulo di richiesta",
                )
            )
        )
    )
    born = style.day()
    paper.days["birth_date"] = born
    fields: list[Callable[[], None]] = [
        lambda: parts.labelled(paper, style, "name", (style.person(), "person_name")),
        lambda: parts.labelled(paper, style, "birth", (style.written(born), "birth_date")),
        lambda: parts.labelled(
            paper, style, "phone", (chance.pattern(chance.of(style.country.phones)).strip(), "person_phone")
        ),
        lambda: parts.labelled(
            paper, style, "mail", (f"{chance.word()}.{chance.word()}@{chance.word()}.com", "person_email")
        ),
        lambda: _party(paper, style, "ship", "person", firm_name=False),
        lambda: parts.labelled(
            paper, style, "account", (chance.pattern("@@## #### #### #### ####"), "account_number")
        ),
        lambda: parts.labelled(paper, style, "member", (chance.digits(8), "member_number")),
        lambda: parts.day(paper, style, "date", "date", style.day()),
    ]
    for part in chance.some(fields, 4, len(fields)):
        part()
    return paper


def letter(style: Style) -> Paper:
    """An e-mail about an order or an invoice."""
    chance, paper = style.chance, Paper("e-mail")
    on, sold = style.day(), parts.items(style, 3)
    paper.days["date"] = on
    total = sum(item.amount for item in sold)
    who, to = firm(style.country, chance), style.person()
    paper.say("From: ", (who, "seller_name"), f" <billing@{chance.word()}.com>")
    paper.say("To: ", (to, "buyer_name"), f" <{chance.word()}@{chance.word()}.net>")
    if chance.maybe(0.8):
        paper.say("Date: ", (style.written(on), "date"))
    number = chance.pattern(chance.of(_NUMBERS))
    paper.say(
        chance.of(
            (
                "Subject: Invoice ",
                "Subject: Your order ",
                "Subject: Re: payment ",
                "Betreff: Rechnung ",
                "Objet : facture ",
            )
        ),
        (number, "invoice_number"),
    )
    paper.say("")
    paper.say(chance.of(("Dear ", "Hello ", "Hi ", "Guten Tag ", "Bonjour ")), to.split()[0], ",")
    paper.numbers["total"] = parts.hundredths(total)
    amount = parts.money(style, total, "total")
    due = on + timedelta(days=chance.of((7, 14, 30)))
    paper.days["due_date"] = due
    if chance.maybe(0.5):
        paper.say(
            f"thank you for ordering {sold[0].name.lower()}. Please find our invoice {number} attached."
        )
        paper.say("The total of ", *amount, " is due on ", (style.written(due), "due_date"), ".")
    else:
        paper.say("we have received your payment of ", *amount, f" for {sold[0].name}.")
        if chance.maybe(0.5):
            paper.say("Please quote ", (chance.pattern("@@-####"), "order_number"), " when you write to us.")
    if chance.maybe(0.7):
        paper.say(
            chance.of(("Kind regards", "Best regards", "Regards", "Mit freundlichen Grüßen", "Cordialement"))
        )
        paper.say((style.person(), "contact_person"))
        paper.say(who)
        if chance.maybe(0.6):
            paper.say_as("seller_address", address(style.country, chance))
    return paper


def any_kind(chance: Chance) -> Paper:
    """A document of some kind: receipts are commonest."""
    draw = chance.weighted((60, receipt), (18, invoice), (8, delivery_note), (7, form), (7, letter))
    return draw(Style.of(chance))


def _title(paper: Paper, style: Style) -> None:
    paper.say(style.label("titles"))


def _number(paper: Paper, style: Style, fact: str) -> None:
    chance = style.chance
    parts.labelled(paper, style, "number", (chance.pattern(chance.of(_NUMBERS)), fact))


def _party(paper: Paper, style: Style, label: str, who: str, *, firm_name: bool = True) -> None:
    chance = style.chance
    name = style.cased(firm(style.country, chance)) if firm_name and chance.maybe(0.7) else style.person()
    if chance.maybe(0.5):
        paper.say(style.label(label) + style.colon.rstrip())
        paper.say((name, f"{who}_name"))
    else:
        paper.say(style.label(label) + style.colon, (name, f"{who}_name"))
    if chance.maybe(0.85):
        paper.say_as(f"{who}_address", map(style.cased, address(style.country, chance)))


def _phrases(paper: Paper, style: Style, least: int, most: int) -> None:
    for phrase in style.chance.some(style.labels["phrases"], least, most):
        paper.say(style.cased(phrase))
