"""What may be asked of a document: for each fact, what people call it and how they explain it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """Names in snake case; titles and explanations fit each of them."""

    names: tuple[str, ...]
    titles: tuple[str, ...]
    about: tuple[str, ...]


FIELDS = {
    "seller_name": Field(
        ("company", "vendor", "seller", "merchant", "company_name", "vendor_name", "store_name", "supplier", "shop", "issuer", "merchant_name", "seller_name", "business_name"),
        ("Company", "Vendor", "Merchant name", "Seller", "Store", "Supplier name"),
        ("The name of the firm that issued the receipt", "Name of the company that issued the document", "Who sold the goods", "The vendor's name", "The seller's registered name", "The shop's name as printed", "The firm that sends the invoice"),
    ),
    "seller_address": Field(
        ("address", "vendor_address", "company_address", "store_address", "seller_address", "merchant_address", "location", "supplier_address"),
        ("Address", "Vendor address", "Company address", "Store address"),
        ("The firm's address", "The address of the company", "Where the seller is", "Full postal address of the vendor", "The shop's address in one line"),
    ),
    "seller_phone": Field(("phone", "telephone", "vendor_phone", "tel", "phone_number", "seller_phone"), ("Phone", "Telephone"), ("The firm's telephone number", "Phone number of the seller", "How the vendor is called")),
    "seller_email": Field(("email", "vendor_email", "contact_email"), ("E-mail", "Email"), ("The firm's e-mail address", "Where to write to the seller")),
    "seller_website": Field(("website", "url", "homepage"), ("Website",), ("The firm's website", "The address of the web site that is printed")),
    "seller_tax_id": Field(("tax_id", "vat_number", "gst_number", "tax_number", "vat_id", "gst_id", "fiscal_number"), ("Tax ID", "VAT number", "GST number"), ("The seller's tax number", "The number under which the firm pays tax", "VAT or GST registration number")),
    "seller_register": Field(("registration_number", "company_number", "reg_no", "register_number"), ("Registration number", "Company number"), ("The number of the company in the register", "Company registration number as printed")),
    "buyer_name": Field(("customer", "buyer", "bill_to", "client", "customer_name", "recipient", "buyer_name", "consignee"), ("Customer", "Buyer", "Bill to"), ("Who is billed", "The customer's name", "Who receives the goods")),
    "buyer_address": Field(("customer_address", "billing_address", "buyer_address", "delivery_address", "ship_to_address"), ("Customer address", "Billing address"), ("The customer's address", "Where the goods go")),
    "person_name": Field(("name", "full_name", "applicant", "applicant_name", "person"), ("Name", "Applicant"), ("The name of the person", "Who filled in the form")),
    "person_address": Field(("address", "home_address", "applicant_address"), ("Address",), ("Where the person lives", "The applicant's address")),
    "person_phone": Field(("phone", "mobile", "telephone"), ("Phone",), ("The person's telephone number",)),
    "person_email": Field(("email", "email_address"), ("E-mail",), ("The person's e-mail address",)),
    "birth_date": Field(("date_of_birth", "birth_date", "dob", "born"), ("Date of birth",), ("When the person was born", "Birth date")),
    "contact_person": Field(("contact", "signed_by", "sender", "contact_person"), ("Contact",), ("Who signed the message", "The person who writes")),
    "date": Field(
        ("date", "invoice_date", "receipt_date", "issue_date", "purchase_date", "transaction_date", "document_date", "date_of_issue", "bill_date"),
        ("Date", "Invoice date", "Date of purchase", "Issue date"),
        ("The date of the receipt", "When the document was issued", "Date of purchase", "The date as printed", "The day of the transaction", "Invoice date"),
    ),
    "time": Field(("time", "time_of_day", "transaction_time", "purchase_time"), ("Time",), ("The time of the purchase", "At what time it was printed")),
    "due_date": Field(("due_date", "payment_due", "due", "pay_by"), ("Due date",), ("When payment is due", "The last day to pay")),
    "total": Field(
        ("total", "total_amount", "grand_total", "amount_due", "amount", "total_due", "total_paid", "sum", "net_total", "invoice_total", "total_price"),
        ("Total", "Total amount", "Grand total", "Amount due"),
        ("The total amount paid", "What is to be paid in the end", "Total including tax", "The final amount", "Total after rounding", "The amount due", "Grand total of the document"),
    ),
    "subtotal": Field(("subtotal", "net_amount", "sub_total", "amount_before_tax"), ("Subtotal", "Net amount"), ("The sum before tax", "Subtotal", "Amount without tax")),
    "tax": Field(("tax", "tax_amount", "vat", "gst", "vat_amount", "total_tax"), ("Tax", "VAT amount"), ("The amount of tax", "How much tax is in it", "Total tax")),
    "tax_rate": Field(("tax_rate", "vat_rate", "gst_rate"), ("Tax rate",), ("The rate of tax in percent", "Tax rate without the sign")),
    "discount": Field(("discount", "discount_amount", "rebate"), ("Discount",), ("What was taken off", "The discount")),
    "service_charge": Field(("service_charge", "service"), ("Service charge",), ("What was charged for service",)),
    "rounding": Field(("rounding", "rounding_adjustment"), ("Rounding",), ("The rounding adjustment",)),
    "cash": Field(("cash", "amount_paid", "cash_tendered", "paid", "tendered"), ("Cash", "Paid"), ("What the customer gave", "Cash tendered")),
    "change": Field(("change", "change_due", "change_given"), ("Change",), ("What the customer got back", "Change")),
    "payment_method": Field(("payment_method", "paid_by", "card_type"), ("Payment method",), ("How it was paid", "The kind of card")),
    "receipt_number": Field(("receipt_number", "receipt_no", "document_number", "invoice_number", "bill_number", "number", "transaction_id"), ("Receipt number", "Document no."), ("The number of the receipt", "The document's number")),
    "invoice_number": Field(("invoice_number", "invoice_no", "document_number", "number", "invoice_id", "reference"), ("Invoice number",), ("The invoice's number", "The number of the document")),
    "order_number": Field(("order_number", "po_number", "purchase_order", "reference"), ("Order number", "PO number"), ("The customer's order number", "The purchase order it belongs to")),
    "delivery_number": Field(("delivery_number", "tracking_number", "shipment_id", "do_number"), ("Delivery number",), ("The number of the delivery", "Tracking number")),
    "payment_terms": Field(("payment_terms", "terms"), ("Payment terms",), ("The terms of payment",)),
    "cashier": Field(("cashier", "served_by", "operator", "staff"), ("Cashier",), ("Who served the customer", "The cashier's name")),
    "table": Field(("table", "table_number"), ("Table",), ("The number of the table",)),
    "member_number": Field(("member_number", "member_id", "customer_number", "loyalty_number"), ("Member number",), ("The customer's membership number",)),
    "points": Field(("points", "loyalty_points"), ("Points",), ("Points that were earned",)),
    "item_count": Field(("item_count", "quantity", "total_quantity", "number_of_items"), ("Item count",), ("How many items were sold", "Total quantity")),
    "carrier": Field(("carrier", "driver", "shipped_by"), ("Carrier",), ("Who carries the goods",)),
    "weight": Field(("weight", "gross_weight", "weight_kg"), ("Weight",), ("The weight in kilograms",)),
    "packages": Field(("packages", "package_count", "cartons"), ("Packages",), ("How many packages there are",)),
    "bank": Field(("bank", "bank_name"), ("Bank",), ("The seller's bank",)),
    "account_number": Field(("account_number", "iban", "bank_account"), ("Account number", "IBAN"), ("The account to pay to", "The account's number")),
}  # fmt: skip

ITEM_FIELDS = {
    "description": Field(("description", "name", "item", "product", "article"), ("Description",), ("What was sold", "The name of the item")),
    "quantity": Field(("quantity", "qty", "count", "units"), ("Quantity",), ("How many",)),
    "unit_price": Field(("unit_price", "price", "rate"), ("Unit price",), ("The price of one",)),
    "amount": Field(("amount", "total", "line_total", "sum"), ("Amount",), ("Quantity times price", "What the line comes to")),
}  # fmt: skip
LISTS = ("items", "line_items", "products", "positions", "lines")
GROUPS = {
    "seller": ("vendor", "seller", "merchant", "company", "supplier", "store"),
    "buyer": ("customer", "buyer", "recipient", "client"),
    "person": ("person", "applicant", "customer"),
}
