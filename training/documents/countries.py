"""How firms are called, where they are and how they count, by country. General knowledge; nobody's documents."""

from dataclasses import dataclass

from training.documents.chance import Chance


@dataclass(frozen=True)
class Country:
    """One country's ways. In patterns `#` is a digit, `@` a letter."""

    language: str
    currency: tuple[str, ...]
    """As it is written beside an amount, the commonest first."""
    code: str
    comma: bool
    """Whether a comma stands before the cents."""
    suffixes: tuple[str, ...]
    towns: tuple[tuple[str, str, str], ...]
    """Town, pattern of its postcode, region."""
    streets: tuple[str, ...]
    """`{w}` is a word, `{n}` a number."""
    areas: tuple[str, ...]
    addresses: tuple[str, ...]
    """`|` is where a line may end; `{street}`, `{area}`, `{post}`, `{town}`, `{region}`."""
    phones: tuple[str, ...]
    tax: str
    rates: tuple[int, ...]
    tax_ids: tuple[tuple[str, str], ...]
    registers: tuple[str, ...]
    days: tuple[str, ...]
    """How days are written, as `strftime` says it."""


COUNTRIES = {
    "my": Country(
        "en", ("RM", "MYR"), "MYR", False,
        ("SDN BHD", "SDN. BHD.", "(M) SDN BHD", "ENTERPRISE", "TRADING", "S/B", "SDN BHD", "HOLDINGS SDN BHD", "BHD", "RESTAURANT", "& CO", "(JOHOR) SDN BHD", "MARKETING SDN BHD"),
        (("JOHOR BAHRU", "8####", "JOHOR"), ("KUALA LUMPUR", "5####", "WILAYAH PERSEKUTUAN"), ("PETALING JAYA", "47###", "SELANGOR"), ("SHAH ALAM", "40###", "SELANGOR DARUL EHSAN"), ("SUBANG JAYA", "47###", "SELANGOR"), ("KLANG", "41###", "SELANGOR"), ("IPOH", "3####", "PERAK"), ("GEORGETOWN", "10###", "PULAU PINANG"), ("MELAKA", "75###", "MELAKA"), ("SEREMBAN", "70###", "NEGERI SEMBILAN"), ("SKUDAI", "81300", "JOHOR"), ("KAJANG", "43000", "SELANGOR"), ("PUCHONG", "47100", "SELANGOR"), ("CHERAS", "56###", "KUALA LUMPUR"), ("KUANTAN", "25###", "PAHANG"), ("BATU PAHAT", "83000", "JOHOR"), ("AMPANG", "68000", "SELANGOR")),
        ("JALAN {w} {n}/{n}", "JALAN {w}", "JALAN {w} {n}", "JLN {w} {n}/{n}@", "LORONG {w} {n}", "JALAN SS {n}/{n}", "PERSIARAN {w}", "LEBUH {w}", "JALAN PJU {n}/{n}", "JALAN {w} {w}"),
        ("TAMAN {w}", "TAMAN {w} {w}", "BANDAR {w}", "KAWASAN PERINDUSTRIAN {w}", "SEKSYEN {n}", "DESA {w}", "TMN {w}", "BUKIT {w}", "PUSAT BANDAR {w}", "{w} JAYA"),
        ("NO. {no}, {street},|{area},|{post} {town},|{region}.", "NO {no}, {street},|{area}, {post} {town},|{region}", "{no}, {street}, {area}|{post} {town}, {region}.", "LOT {no} & {no2}, {street},|{area},|{post} {town}, {region}", "NO.{no}&{no2}, {street},|{area},|{post} {town}", "LOT {no}, LEVEL {n}, {w} MALL,|{street},|{post} {town}", "NO {no} (GROUND FLOOR),|{street}, {area},|{post} {town}, {region}.", "{no}-G, {street},|{area} {post} {town}|{region}", "UNIT {no}, BLOCK @, {street}|{area}, {post} {town}"),
        ("0#-####### ", "03-#### ####", "07-#######", "01#-### ####", "+603-########", "0#-### ####"),
        "GST", (6, 6, 6, 0, 10), (("GST ID", "000#########"), ("GST REG NO", "00##########"), ("GST ID NO", "001#########"), ("SST ID", "W10-####-########"), ("GST NO", "000#########")),
        ("######-@", "(######-@)", "CO. REG NO: ######-@", "(CO. REG : ######-@)", "REG NO: ######-@", "ROC NO. ######-@", "JM#######-@", "(######@)", "COMPANY NO: #######-@"),
        ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d-%m-%y", "%d %b %Y", "%d %B %Y", "%d.%m.%Y", "%Y-%m-%d", "%d-%b-%Y", "%d%b%y", "%d-%b-%y", "%d/%m/%Y"),
    ),
    "us": Country(
        "en", ("$", "USD", ""), "USD", False,
        ("INC", "INC.", "LLC", "CORP", "CO", "STORE", "MARKET", "& SONS", "GROUP", "DINER", "CAFE", "SUPPLY", "PHARMACY"),
        (("SPRINGFIELD", "6####", "IL"), ("AUSTIN", "787##", "TX"), ("PORTLAND", "972##", "OR"), ("DENVER", "802##", "CO"), ("ALBANY", "122##", "NY"), ("TAMPA", "336##", "FL"), ("MADISON", "537##", "WI"), ("FRESNO", "937##", "CA"), ("BOISE", "837##", "ID")),
        ("{w} ST", "{w} AVE", "{w} BLVD", "N {w} RD", "{w} DR", "HIGHWAY {n}", "{n}TH STREET", "W {w} LN"), ("SUITE {n}", "UNIT {n}", "STE {n}@", "FLOOR {n}"),
        ("{no} {street}|{town}, {region} {post}", "{no} {street}, {area}|{town}, {region} {post}", "{no} {street}|{area}|{town} {region} {post}"),
        ("(###) ###-####", "###-###-####", "1-8##-###-####"), "TAX", (8, 7, 6, 9), (("EIN", "##-#######"), ("TAX ID", "##-#######")), ("STORE #####", "LIC# ######"),
        ("%m/%d/%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y", "%m-%d-%Y", "%Y-%m-%d"),
    ),
    "gb": Country(
        "en", ("£", "GBP", ""), "GBP", False, ("LTD", "LIMITED", "PLC", "& CO LTD", "LLP", "STORES", "BAKERY", "SUPPLIES LTD"),
        (("LEEDS", "LS# #@@", "WEST YORKSHIRE"), ("BRISTOL", "BS# #@@", "AVON"), ("LONDON", "SE# #@@", ""), ("CARDIFF", "CF## #@@", "WALES"), ("NORWICH", "NR# #@@", "NORFOLK"), ("GLASGOW", "G## #@@", "SCOTLAND")),
        ("{w} STREET", "{w} ROAD", "HIGH STREET", "{w} LANE", "{w} CLOSE", "STATION ROAD"), ("{w} BUSINESS PARK", "UNIT {n}", "{w} HOUSE", "{w} TRADING ESTATE"),
        ("{no} {street}|{town}|{post}", "{area}, {street}|{town} {post}", "{area}|{no} {street}|{town}, {region}|{post}"),
        ("01### ######", "020 #### ####", "+44 1### ######"), "VAT", (20, 5), (("VAT NO", "GB### #### ##"), ("VAT REG NO", "### #### ##")), ("COMPANY NO. ########", "REG. NO. 0#######"),
        ("%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%d/%m/%y", "%d-%m-%Y"),
    ),
    "de": Country(
        "de", ("EUR", "€"), "EUR", True, ("GmbH", "GmbH & Co. KG", "AG", "e.K.", "OHG", "UG (haftungsbeschränkt)", "KG", "Bäckerei", "Apotheke"),
        (("Berlin", "10###", ""), ("Hamburg", "20###", ""), ("Köln", "50###", ""), ("Leipzig", "04###", ""), ("Nürnberg", "90###", "Bayern"), ("Münster", "48###", ""), ("Göttingen", "37###", "")),
        ("{W}straße", "{W}weg", "Am {W}", "{W}allee", "{W}platz", "Alte {W}gasse"), ("Gewerbegebiet {W}", "Hinterhof", "Halle {n}"),
        ("{street} {no}|{post} {town}", "{street} {no}, {post} {town}", "{area}|{street} {no}|{post} {town}"),
        ("0### ######", "+49 ### #######", "(0###) ######"), "MwSt", (19, 7), (("USt-IdNr.", "DE#########"), ("Steuernummer", "##/###/#####"), ("St.-Nr.", "###/####/####")), ("HRB #####", "HRA ####"),
        ("%d.%m.%Y", "%d.%m.%y", "%d. %B %Y", "%Y-%m-%d"),
    ),
    "fr": Country(
        "fr", ("€", "EUR"), "EUR", True, ("SARL", "SAS", "SA", "EURL", "& Fils", "Boulangerie", "Pharmacie", "SNC"),
        (("Lyon", "690##", ""), ("Paris", "750##", ""), ("Nantes", "44###", ""), ("Toulouse", "31###", ""), ("Besançon", "25###", ""), ("Angers", "49###", "")),
        ("rue {W}", "avenue {W}", "boulevard de {W}", "place {W}", "chemin des {W}s", "rue du {W}"), ("Bâtiment @", "ZA {W}", "BP {n}"),
        ("{no}, {street}|{post} {town}", "{no} {street}|{post} {town}", "{area}|{no} {street}|{post} {town}"),
        ("0# ## ## ## ##", "+33 # ## ## ## ##"), "TVA", (20, 10), (("N° TVA", "FR###########"), ("SIRET", "### ### ### #####")), ("RCS {t} ### ### ###", "SIREN ### ### ###"),
        ("%d/%m/%Y", "%d/%m/%y", "%d %B %Y", "%d-%m-%Y"),
    ),
    "es": Country(
        "es", ("€", "EUR"), "EUR", True, ("S.L.", "S.A.", "SL", "SA", "e Hijos", "S.L.U.", "Panadería", "Ferretería"),
        (("Madrid", "280##", "Madrid"), ("Sevilla", "41###", "Sevilla"), ("Málaga", "29###", "Málaga"), ("Zaragoza", "50###", "Zaragoza"), ("Logroño", "26###", "La Rioja")),
        ("Calle {W}", "C/ {W}", "Avda. de {W}", "Plaza {W}", "Paseo del {W}"), ("Local {n}", "Polígono {W}", "{n}º @"),
        ("{street}, {no}|{post} {town}", "{street} {no}, {area}|{post} {town} ({region})", "{street}, {no} - {post} {town}"),
        ("9## ### ###", "+34 6## ## ## ##"), "IVA", (21, 10), (("CIF", "B########"), ("NIF", "########@")), ("Reg. Mercantil T. #### F. ##",),
        ("%d/%m/%Y", "%d-%m-%Y", "%d de %B de %Y", "%d/%m/%y"),
    ),
    "it": Country(
        "it", ("€", "EUR"), "EUR", True, ("S.r.l.", "SRL", "S.p.A.", "SNC", "di {W} & C.", "S.a.s.", "Ristorante"),
        (("Milano", "201##", "MI"), ("Torino", "101##", "TO"), ("Bologna", "401##", "BO"), ("Bari", "701##", "BA"), ("Verona", "371##", "VR")),
        ("Via {W}", "Viale {W}", "Corso {W}", "Piazza {W}", "Via dei {W}i"), ("Zona Industriale {W}", "Int. {n}"),
        ("{street}, {no}|{post} {town} ({region})", "{street} {no}|{post} {town} {region}", "{street} {no} - {post} {town}"),
        ("0## #######", "+39 0## ######"), "IVA", (22, 10), (("P.IVA", "###########"), ("Partita IVA", "###########"), ("C.F.", "###########")), ("REA {r}-######",),
        ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d %B %Y"),
    ),
    "nl": Country(
        "nl", ("€", "EUR"), "EUR", True, ("B.V.", "BV", "N.V.", "VOF", "& Zn.", "Bakkerij"),
        (("Utrecht", "35## @@", ""), ("Eindhoven", "56## @@", ""), ("Groningen", "97## @@", ""), ("Haarlem", "20## @@", "")),
        ("{W}straat", "{W}laan", "{W}weg", "{W}plein", "{W}gracht"), ("Postbus {n}", "Unit {n}"),
        ("{street} {no}|{post} {town}", "{street} {no}, {post} {town}"),
        ("0##-#######", "+31 ## ### ## ##"), "BTW", (21, 9), (("BTW-nr", "NL#########B0#"), ("BTW nummer", "NL#########B01")), ("KvK ########",),
        ("%d-%m-%Y", "%d/%m/%Y", "%d %B %Y", "%d-%m-%y"),
    ),
    "pt": Country(
        "pt", ("€", "EUR", "R$"), "EUR", True, ("Lda.", "LDA", "S.A.", "Unipessoal Lda", "LTDA", "ME", "Padaria"),
        (("Lisboa", "1###-###", ""), ("Porto", "4###-###", ""), ("Coimbra", "3###-###", ""), ("São Paulo", "0####-###", "SP"), ("Curitiba", "8####-###", "PR")),
        ("Rua {W}", "Avenida {W}", "Travessa do {W}", "Praça {W}", "Rua de São {W}"), ("Loja {n}", "{n}.º Esq.", "Zona Industrial"),
        ("{street}, {no}|{post} {town}", "{street}, n.º {no}, {area}|{post} {town}", "{street} {no}|{post} {town} {region}"),
        ("2## ### ###", "(##) ####-####"), "IVA", (23, 13), (("NIF", "#########"), ("NIPC", "5########"), ("CNPJ", "##.###.###/0001-##")), ("Capital Social #.### €",),
        ("%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d de %B de %Y"),
    ),
    "sg": Country(
        "en", ("$", "S$", "SGD"), "SGD", False, ("PTE LTD", "PTE. LTD.", "TRADING CO", "ENTERPRISE", "(S) PTE LTD"),
        (("SINGAPORE", "######", ""),), ("{w} ROAD", "{w} AVENUE {n}", "JALAN {w}", "{w} STREET {n}", "UPPER {w} ROAD"), ("#0{n}-{no}", "{w} PLAZA #0{n}-{no}", "BLK {no}"),
        ("{no} {street}|{area}|{town} {post}", "{no} {street} {area}|{town} {post}", "BLK {no} {street}, {area}|S({post})"),
        ("6### ####", "+65 #### ####"), "GST", (7, 8, 9), (("GST REG NO", "20#######@"), ("GST REG NO.", "M#-#######-#")), ("CO REG NO ########@", "UEN 20#######@"),
        ("%d/%m/%Y", "%d-%m-%Y", "%d %b %Y", "%d/%m/%y"),
    ),
    "se": Country(
        "sv", ("kr", "SEK"), "SEK", True, ("AB", "Handelsbolag", "& Söner AB", "HB", "Livs"),
        (("Göteborg", "4## ##", ""), ("Malmö", "2## ##", ""), ("Uppsala", "75# ##", ""), ("Örebro", "70# ##", "")),
        ("{W}gatan", "{W}vägen", "Stora {W}gatan", "{W}torget"), ("Box {n}", "Plan {n}"),
        ("{street} {no}|{post} {town}", "{street} {no}, {post} {town}"),
        ("0##-### ## ##", "+46 ## ### ## ##"), "Moms", (25, 12, 6), (("Org.nr", "55####-####"), ("Momsreg.nr", "SE##########01")), ("Säte {t}",),
        ("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y"),
    ),
    "pl": Country(
        "pl", ("zł", "PLN"), "PLN", True, ("Sp. z o.o.", "S.A.", "s.c.", "PHU", "Spółka Jawna"),
        (("Kraków", "3#-###", ""), ("Gdańsk", "80-###", ""), ("Łódź", "9#-###", ""), ("Poznań", "6#-###", "")),
        ("ul. {W}ska", "ul. {W}a", "al. {W}ów", "os. {W}e"), ("lok. {n}", "hala {n}"),
        ("{street} {no}|{post} {town}", "{street} {no}/{n}, {post} {town}"),
        ("## ### ## ##", "+48 ### ### ###"), "VAT", (23, 8), (("NIP", "###-###-##-##"), ("NIP", "##########")), ("REGON #########", "KRS 0000######"),
        ("%d.%m.%Y", "%Y-%m-%d", "%d-%m-%Y"),
    ),
}  # fmt: skip

_COMMON = ("CITY", "GOLDEN", "STAR", "HAPPY", "SUPER", "FAMILY", "GREEN", "BEST", "UNITED", "NEW", "GRAND", "ROYAL", "SUNRISE", "OCEAN", "LUCKY", "MODERN", "FIRST", "BLUE", "CENTRAL", "PRIME", "KEDAI", "RESTORAN", "PASARAYA", "SYARIKAT", "PERNIAGAAN")  # fmt: skip
_TRADES = ("HARDWARE", "STATIONERY", "BOOK SHOP", "ELECTRICAL", "FOOD", "BAKERY", "PHARMACY", "MINI MARKET", "TOYS", "FURNITURE", "AUTO PARTS", "SEAFOOD", "COFFEE", "MOTOR", "LIGHTING", "OPTICAL", "FASHION", "MACHINERY", "PRINTING", "GIFT SHOP", "SUPERMARKET", "TRADING", "PETROL STATION", "CLINIC", "INTERNATIONAL", "INDUSTRIES", "SERVICES", "RESTAURANT", "KOPITIAM", "CAFE", "HOTEL")  # fmt: skip


def firm(country: Country, chance: Chance) -> str:
    """A firm's name."""
    word, other = chance.word().title(), chance.word().title()
    first = chance.weighted(
        (5, word), (3, f"{word} {other}"), (2, f"{chance.of(_COMMON).title()} {word}"), (1, f"{chance.letters(1)}.{chance.letters(1)}. {word}"),
        (1, f"{word}'s"), (1, chance.letters(chance.number(2, 4))), (1, f"{word} & {other}"), (1, chance.of(_COMMON).title()), (1, f"{chance.number(1, 999)} {word}"), (1, f"{word}-{other}"),
    )  # fmt: skip
    if chance.maybe(0.5):
        first += f" {chance.of(_TRADES).title()}"
    if chance.maybe(0.12):
        first += f" ({chance.word().title()})"
    if chance.maybe(0.85):
        first += f" {filled(chance.of(country.suffixes), country, chance)}"
    return first


def filled(form: str, country: Country, chance: Chance) -> str:
    """A pattern with its words, numbers and digits."""
    town, _, region = chance.of(country.towns)
    for mark, text in (("{t}", town), ("{r}", region)):
        form = form.replace(mark, text)
    while "{w}" in form:
        form = form.replace("{w}", chance.word().upper(), 1)
    while "{W}" in form:
        form = form.replace("{W}", chance.word().title(), 1)
    while "{n}" in form:
        form = form.replace("{n}", str(chance.number(1, 48)), 1)
    return chance.pattern(form)


def address(country: Country, chance: Chance) -> list[str]:
    """An address, line by line."""
    town, post, region = chance.of(country.towns)
    form = chance.of(country.addresses)
    number = str(chance.number(1, chance.of((20, 200, 2000))))
    parts = {
        "{street}": filled(chance.of(country.streets), country, chance),
        "{area}": filled(chance.of(country.areas), country, chance),
        "{town}": town,
        "{post}": chance.pattern(post),
        "{region}": region,
        "{no2}": str(chance.number(1, 200)),
        "{no}": number + (chance.of(("", "", "", "A", "-1", "/2"))),
    }
    for mark, text in parts.items():
        form = form.replace(mark, text)
    form = filled(form, country, chance)
    lines = form.split("|")
    while len(lines) > 1 and chance.maybe(0.3):
        at = chance.number(0, len(lines) - 2)
        lines[at : at + 2] = [f"{lines[at]} {lines[at + 1]}"]
    return [line for line in (" ".join(line.split()).rstrip() for line in lines) if line]
