"""What is printed beside a value, by language. Of several, each is as common as the other."""

from collections.abc import Mapping

Labels = Mapping[str, tuple[str, ...]]

ENGLISH: Labels = {
    "total": ("TOTAL", "Total", "GRAND TOTAL", "TOTAL AMOUNT", "NETT TOTAL", "AMOUNT DUE", "TOTAL DUE", "NET TOTAL", "TOTAL PAYABLE", "TOTAL AMT PAYABLE", "FINAL TOTAL", "TOTAL SALES (INCLUSIVE OF GST)", "TOTAL INCL. GST@6%", "BALANCE DUE", "TOTAL (RM)", "TOTAL AMOUNT DUE", "AMOUNT PAYABLE", "TOTAL SALES INCL GST", "Total Incl. GST", "NET AMT"),
    "rounded": ("TOTAL ROUNDED", "ROUNDED TOTAL", "ROUNDED TOTAL (RM)", "TOTAL AFTER ROUNDING", "NETT TOTAL", "TOTAL AFTER ADJ INCL GST", "FINAL TOTAL", "NET TOTAL (ROUNDED)"),
    "subtotal": ("SUBTOTAL", "SUB-TOTAL", "SUB TOTAL", "TOTAL EXCL. GST", "TOTAL SALES (EXCLUDING GST)", "AMOUNT", "Subtotal", "TOTAL BEFORE TAX", "GROSS AMOUNT", "NET AMOUNT"),
    "tax": ("GST", "TAX", "TOTAL GST", "GST AMT", "VAT", "SERVICE TAX", "SALES TAX", "TOTAL TAX", "GST PAYABLE"),
    "discount": ("DISCOUNT", "DISC", "TOTAL DISCOUNT", "LESS DISCOUNT", "MEMBER DISC"),
    "service": ("SERV CHARGE 10%", "SERVICE CHARGE", "SVC CHG", "SERVICE CHARGES 10%"),
    "rounding": ("ROUNDING", "ROUNDING ADJ", "ROUNDING ADJUSTMENT", "ROUND ADJ", "ROUND AMT", "RND", "ADJUSTMENT"),
    "cash": ("CASH", "CASH TENDERED", "PAID", "AMOUNT PAID", "TENDER", "PAYMENT", "CASH RECEIVED", "RECEIVED"),
    "change": ("CHANGE", "CHANGE DUE", "CHANGE AMT", "BALANCE", "CHANGE GIVEN"),
    "card": ("VISA CARD", "MASTERCARD", "CREDIT CARD", "DEBIT CARD", "MASTER", "VISA", "CARD"),
    "date": ("DATE", "Date", "INVOICE DATE", "BILL DATE", "TRX DATE", "Inv Date", "DATE/TIME", "ISSUED", "DATED"),
    "due": ("DUE DATE", "Due date", "PAYMENT DUE", "PAY BY"),
    "time": ("TIME", "Time"),
    "number": ("INVOICE NO", "INV NO", "RECEIPT NO", "BILL NO", "DOC NO", "RECEIPT #", "INVOICE #", "CHECK NO", "SLIP NO", "REF NO", "TAX INVOICE NO", "Invoice No.", "TRANS", "ORDER NO"),
    "order": ("PO NO", "PURCHASE ORDER", "YOUR REF", "ORDER NO", "CUSTOMER PO", "P/O"),
    "cashier": ("CASHIER", "SERVED BY", "STAFF", "OPERATOR", "WAITER", "SALESPERSON", "COUNTER"),
    "table": ("TABLE", "TBL", "TABLE NO", "PAX"),
    "phone": ("TEL", "PHONE", "TEL NO", "Tel", "CONTACT", "H/P", "HOTLINE", "TEL/FAX"),
    "fax": ("FAX", "Fax"),
    "mail": ("EMAIL", "E-mail", "Email"),
    "web": ("WWW", "WEBSITE", "Web"),
    "buyer": ("BILL TO", "CUSTOMER", "SOLD TO", "TO", "CLIENT", "Bill to", "ATTN"),
    "ship": ("SHIP TO", "DELIVER TO", "DELIVERY ADDRESS", "CONSIGNEE"),
    "seller": ("FROM", "SUPPLIER", "SELLER", "VENDOR", "SHIPPER"),
    "terms": ("TERMS", "PAYMENT TERMS", "CREDIT TERM"),
    "tracking": ("TRACKING NO", "CONSIGNMENT NO", "AWB", "SHIPMENT ID", "DO NO"),
    "weight": ("WEIGHT", "GROSS WEIGHT", "TOTAL WEIGHT", "NET WT"),
    "packages": ("PACKAGES", "NO. OF PKGS", "CARTONS", "PALLETS"),
    "carrier": ("CARRIER", "DRIVER", "VEHICLE NO", "SHIPPED VIA"),
    "quantity": ("QTY", "QUANTITY", "Qty"),
    "item": ("ITEM", "DESCRIPTION", "CODE/DESC", "Description", "PRODUCT"),
    "price": ("PRICE", "U/PRICE", "UNIT PRICE", "S/PRICE", "U.PRICE", "Rate"),
    "amount": ("AMOUNT", "TOTAL", "AMT", "RM", "Amount"),
    "bank": ("BANK", "BANK NAME", "PAY TO"),
    "account": ("ACCOUNT NO", "A/C NO", "IBAN", "BANK A/C"),
    "member": ("MEMBER", "MEMBER ID", "CARD NO", "LOYALTY NO"),
    "points": ("POINTS", "BONUS POINTS", "POINTS EARNED"),
    "items": ("TOTAL QTY", "ITEM(S)", "NO. OF ITEMS", "ITEM COUNT", "TOTAL ITEMS"),
    "name": ("NAME", "FULL NAME", "Name", "APPLICANT"),
    "birth": ("DATE OF BIRTH", "DOB", "BIRTH DATE"),
    "phrases": ("THANK YOU", "PLEASE COME AGAIN", "GOODS SOLD ARE NOT RETURNABLE", "THANK YOU FOR SHOPPING WITH US", "TAX INVOICE", "CASH SALE", "EXCHANGE ARE ALLOWED WITHIN 7 DAYS WITH RECEIPT", "NO CASH REFUND", "THIS IS A COMPUTER GENERATED RECEIPT", "PLEASE KEEP THIS RECEIPT", "FOLLOW US ON FACEBOOK", "OPEN DAILY 10AM - 10PM", "CUSTOMER COPY", "E & OE", "PRICES INCLUDE TAX", "TERIMA KASIH", "SILA DATANG LAGI", "WELCOME"),
    "titles": ("TAX INVOICE", "INVOICE", "RECEIPT", "CASH BILL", "SIMPLIFIED TAX INVOICE", "OFFICIAL RECEIPT", "BILL", "CASH SALES", "- TAX INVOICE -", "*** RECEIPT ***"),
}  # fmt: skip

_OTHERS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {"total": ("Summe", "Gesamtbetrag", "GESAMT", "Endbetrag", "Rechnungsbetrag", "Zu zahlen", "Total"), "rounded": ("Gesamt gerundet",), "subtotal": ("Zwischensumme", "Netto", "Nettobetrag"), "tax": ("MwSt", "USt.", "Mehrwertsteuer"), "discount": ("Rabatt", "Nachlass"), "service": ("Bedienung",), "rounding": ("Rundung",), "cash": ("Bar", "Gegeben", "BAR"), "change": ("Rückgeld", "Wechselgeld"), "card": ("Girocard", "EC-Karte", "Kreditkarte"), "date": ("Datum", "Rechnungsdatum", "Belegdatum"), "due": ("Zahlbar bis", "Fällig am"), "time": ("Uhrzeit", "Zeit"), "number": ("Rechnungsnummer", "Rechnung Nr.", "Beleg-Nr.", "Bon-Nr."), "order": ("Bestellnummer", "Ihre Bestellung"), "cashier": ("Kasse", "Bediener", "Es bediente Sie"), "table": ("Tisch",), "phone": ("Tel.", "Telefon"), "fax": ("Fax",), "mail": ("E-Mail",), "web": ("Web",), "buyer": ("Kunde", "Rechnung an", "Empfänger"), "ship": ("Lieferadresse",), "seller": ("Absender", "Lieferant"), "terms": ("Zahlungsziel",), "tracking": ("Sendungsnummer", "Lieferschein-Nr."), "weight": ("Gewicht",), "packages": ("Packstücke", "Kartons"), "carrier": ("Spedition", "Fahrer"), "quantity": ("Menge", "Anz."), "item": ("Artikel", "Bezeichnung"), "price": ("Einzelpreis", "E-Preis"), "amount": ("Betrag", "Gesamtpreis"), "bank": ("Bank",), "account": ("IBAN", "Konto"), "member": ("Kundennummer",), "points": ("Punkte",), "items": ("Anzahl Artikel", "Posten"), "name": ("Name", "Nachname, Vorname"), "birth": ("Geburtsdatum",), "phrases": ("Vielen Dank für Ihren Einkauf", "Umtausch nur mit Bon", "Es gelten unsere AGB", "Auf Wiedersehen", "Kundenbeleg"), "titles": ("Rechnung", "Quittung", "Kassenbon", "RECHNUNG")},
    "fr": {"total": ("TOTAL TTC", "Total", "Net à payer", "TOTAL A PAYER", "Montant total", "Montant TTC"), "rounded": ("Total arrondi",), "subtotal": ("Sous-total", "Total HT", "Montant HT"), "tax": ("TVA", "TVA 20%", "Total TVA"), "discount": ("Remise",), "service": ("Service",), "rounding": ("Arrondi",), "cash": ("Espèces", "ESPECES", "Reçu"), "change": ("Rendu", "Monnaie rendue"), "card": ("Carte bancaire", "CB"), "date": ("Date", "Date de facture", "Le"), "due": ("Échéance", "Date d'échéance"), "time": ("Heure",), "number": ("Facture n°", "N° facture", "Ticket n°"), "order": ("Bon de commande", "Commande n°"), "cashier": ("Caisse", "Servi par", "Vendeur"), "table": ("Table",), "phone": ("Tél.", "Tél"), "fax": ("Fax",), "mail": ("Courriel", "E-mail"), "web": ("Site",), "buyer": ("Client", "Facturé à"), "ship": ("Adresse de livraison", "Livré à"), "seller": ("Fournisseur", "Expéditeur"), "terms": ("Conditions de paiement",), "tracking": ("N° de suivi", "Bon de livraison n°"), "weight": ("Poids",), "packages": ("Colis",), "carrier": ("Transporteur",), "quantity": ("Qté", "Quantité"), "item": ("Désignation", "Article"), "price": ("Prix unitaire", "P.U."), "amount": ("Montant",), "bank": ("Banque",), "account": ("IBAN",), "member": ("N° client",), "points": ("Points fidélité",), "items": ("Nb articles",), "name": ("Nom", "Nom et prénom"), "birth": ("Date de naissance", "Né(e) le"), "phrases": ("Merci de votre visite", "A bientôt", "Ni repris ni échangé", "Ticket à conserver"), "titles": ("FACTURE", "Ticket de caisse", "Reçu")},
    "es": {"total": ("TOTAL", "Total a pagar", "Importe total", "TOTAL EUR", "Total factura"), "rounded": ("Total redondeado",), "subtotal": ("Subtotal", "Base imponible"), "tax": ("IVA", "IVA 21%", "Cuota IVA"), "discount": ("Descuento", "Dto."), "service": ("Servicio",), "rounding": ("Redondeo",), "cash": ("Efectivo", "Entregado", "EFECTIVO"), "change": ("Cambio", "CAMBIO"), "card": ("Tarjeta",), "date": ("Fecha", "Fecha factura", "FECHA"), "due": ("Vencimiento",), "time": ("Hora",), "number": ("Factura Nº", "Nº factura", "Ticket", "Factura simplificada"), "order": ("Pedido", "Nº pedido"), "cashier": ("Cajero", "Le atendió"), "table": ("Mesa",), "phone": ("Tel.", "Teléfono", "Tfno"), "fax": ("Fax",), "mail": ("Email", "Correo"), "web": ("Web",), "buyer": ("Cliente", "Facturar a"), "ship": ("Dirección de entrega",), "seller": ("Proveedor", "Remitente"), "terms": ("Forma de pago",), "tracking": ("Nº de seguimiento", "Albarán"), "weight": ("Peso",), "packages": ("Bultos",), "carrier": ("Transportista",), "quantity": ("Cant.", "Uds"), "item": ("Descripción", "Artículo"), "price": ("Precio", "P. unit."), "amount": ("Importe",), "bank": ("Banco",), "account": ("IBAN", "Cuenta"), "member": ("Nº cliente",), "points": ("Puntos",), "items": ("Nº artículos",), "name": ("Nombre", "Nombre y apellidos"), "birth": ("Fecha de nacimiento",), "phrases": ("Gracias por su visita", "Gracias por su compra", "IVA incluido", "No se admiten devoluciones"), "titles": ("FACTURA", "Factura simplificada", "RECIBO", "Ticket")},
    "it": {"total": ("TOTALE", "TOTALE EURO", "Totale fattura", "Totale da pagare", "TOTALE COMPLESSIVO"), "rounded": ("Totale arrotondato",), "subtotal": ("Subtotale", "Imponibile"), "tax": ("IVA", "di cui IVA", "IVA 22%"), "discount": ("Sconto",), "service": ("Coperto", "Servizio"), "rounding": ("Arrotondamento",), "cash": ("Contanti", "CONTANTE"), "change": ("Resto",), "card": ("Carta", "Pagamento elettronico"), "date": ("Data", "Data fattura", "DATA"), "due": ("Scadenza",), "time": ("Ora",), "number": ("Fattura n.", "N. documento", "Scontrino n."), "order": ("Ordine n.", "Vs. ordine"), "cashier": ("Cassa", "Operatore"), "table": ("Tavolo",), "phone": ("Tel.", "Telefono"), "fax": ("Fax",), "mail": ("Email", "PEC"), "web": ("Sito",), "buyer": ("Cliente", "Spett.le"), "ship": ("Destinazione merce",), "seller": ("Fornitore", "Mittente"), "terms": ("Pagamento",), "tracking": ("N. spedizione", "DDT n."), "weight": ("Peso",), "packages": ("Colli",), "carrier": ("Vettore",), "quantity": ("Q.tà", "Qta"), "item": ("Descrizione", "Articolo"), "price": ("Prezzo",), "amount": ("Importo",), "bank": ("Banca",), "account": ("IBAN",), "member": ("Tessera",), "points": ("Punti",), "items": ("N. pezzi",), "name": ("Nome", "Cognome e nome"), "birth": ("Data di nascita", "Nato il"), "phrases": ("Grazie e arrivederci", "Documento commerciale", "Grazie per la visita"), "titles": ("FATTURA", "Documento commerciale", "RICEVUTA")},
    "nl": {"total": ("Totaal", "TOTAAL", "Te betalen", "Totaalbedrag"), "subtotal": ("Subtotaal", "Netto"), "tax": ("BTW", "BTW 21%"), "discount": ("Korting",), "cash": ("Contant",), "change": ("Wisselgeld", "Terug"), "card": ("PIN", "Pinpas"), "date": ("Datum", "Factuurdatum"), "due": ("Vervaldatum",), "time": ("Tijd",), "number": ("Factuurnummer", "Bonnr.", "Factuur"), "order": ("Uw order", "Ordernummer"), "cashier": ("Kassa", "U bent geholpen door"), "phone": ("Tel", "Telefoon"), "buyer": ("Klant", "Factuuradres"), "ship": ("Afleveradres",), "seller": ("Leverancier", "Afzender"), "tracking": ("Zendingnummer", "Pakbon"), "weight": ("Gewicht",), "packages": ("Colli",), "quantity": ("Aantal",), "item": ("Omschrijving",), "price": ("Prijs",), "amount": ("Bedrag",), "account": ("IBAN",), "name": ("Naam",), "birth": ("Geboortedatum",), "phrases": ("Bedankt voor uw bezoek", "Tot ziens", "Bewaar deze bon"), "titles": ("Factuur", "Kassabon", "FACTUUR")},
    "pt": {"total": ("TOTAL", "Total a pagar", "Valor total", "TOTAL R$"), "subtotal": ("Subtotal", "Total ilíquido"), "tax": ("IVA", "IVA 23%"), "discount": ("Desconto",), "cash": ("Numerário", "Dinheiro", "Entregue"), "change": ("Troco",), "card": ("Multibanco", "Cartão"), "date": ("Data", "Data de emissão"), "due": ("Vencimento",), "time": ("Hora",), "number": ("Fatura n.º", "Fatura-Recibo", "Nota fiscal"), "order": ("Encomenda", "Pedido"), "cashier": ("Caixa", "Operador"), "table": ("Mesa",), "phone": ("Tel.", "Telefone"), "buyer": ("Cliente", "Exmo. Sr."), "ship": ("Morada de entrega",), "seller": ("Fornecedor", "Remetente"), "tracking": ("Guia n.º",), "weight": ("Peso",), "packages": ("Volumes",), "quantity": ("Qtd", "Qtd."), "item": ("Descrição", "Artigo"), "price": ("Preço",), "amount": ("Valor",), "account": ("IBAN",), "name": ("Nome",), "birth": ("Data de nascimento",), "phrases": ("Obrigado pela visita", "Volte sempre", "IVA incluído"), "titles": ("FATURA", "Fatura simplificada", "Recibo")},
    "sv": {"total": ("TOTALT", "Att betala", "Summa", "Totalt SEK"), "subtotal": ("Delsumma", "Netto"), "tax": ("Moms", "Moms 25%"), "discount": ("Rabatt",), "cash": ("Kontant",), "change": ("Åter", "Växel"), "card": ("Kort",), "date": ("Datum", "Fakturadatum"), "due": ("Förfallodatum",), "time": ("Tid",), "number": ("Fakturanr", "Kvitto nr"), "order": ("Er order",), "cashier": ("Kassa", "Ni betjänades av"), "phone": ("Tel", "Telefon"), "buyer": ("Kund",), "ship": ("Leveransadress",), "seller": ("Avsändare", "Leverantör"), "tracking": ("Kollinr", "Följesedel"), "weight": ("Vikt",), "packages": ("Kolli",), "quantity": ("Antal",), "item": ("Benämning",), "price": ("Pris", "À-pris"), "amount": ("Belopp",), "account": ("Bankgiro", "IBAN"), "name": ("Namn",), "birth": ("Födelsedatum",), "phrases": ("Tack för besöket", "Välkommen åter", "Spara kvittot"), "titles": ("FAKTURA", "Kvitto", "KVITTO")},
    "pl": {"total": ("SUMA PLN", "Razem", "Do zapłaty", "RAZEM BRUTTO"), "subtotal": ("Netto", "Suma netto"), "tax": ("VAT", "Kwota VAT", "PTU A 23%"), "discount": ("Rabat",), "cash": ("Gotówka",), "change": ("Reszta",), "card": ("Karta",), "date": ("Data", "Data wystawienia"), "due": ("Termin płatności",), "time": ("Godz.",), "number": ("Faktura nr", "Nr paragonu", "FV nr"), "order": ("Zamówienie nr",), "cashier": ("Kasjer",), "phone": ("Tel.", "tel."), "buyer": ("Nabywca", "Klient"), "ship": ("Adres dostawy",), "seller": ("Sprzedawca", "Nadawca"), "tracking": ("Nr przesyłki", "WZ nr"), "weight": ("Waga",), "packages": ("Paczki",), "quantity": ("Ilość",), "item": ("Nazwa",), "price": ("Cena",), "amount": ("Wartość",), "account": ("Nr konta",), "name": ("Imię i nazwisko",), "birth": ("Data urodzenia",), "phrases": ("Dziękujemy", "Zapraszamy ponownie"), "titles": ("PARAGON FISKALNY", "FAKTURA VAT", "Faktura")},
}  # fmt: skip


def labels(language: str) -> Labels:
    """A language's, English where it has none."""
    return {**ENGLISH, **_OTHERS.get(language, {})}


MONTHS: dict[str, tuple[str, ...]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    "it": ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"),
    "nl": ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"),
    "pt": ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
    "sv": ("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"),
    "pl": ("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października", "listopada", "grudnia"),
}  # fmt: skip
