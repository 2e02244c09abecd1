"""The words and numbers by which firms, addresses and the other things at a document's head are known."""

import re

LEGAL_FORM = (
    r"(?:sdn\W{0,2}bhd|s/b|bhd|ltd|limited|inc|llc|llp|plc|corp|gmbh|ag|kg|ohg|ug|sarl|sas|sa|srl|bv|nv|ab|oy|pty|pte"
    r"|co\b\.?(?=\W{0,4}(?:ltd|inc|kg|\(\w{1,3}\)|sdn)))\b"
)
POSTCODE = re.compile(r"(?<![\d-])(?:[A-Z]{1,2}-?)?\d{4,6}(?=[,. ]+[^\W\d_]{2}|\W*$)")
OTHER_THINGS = re.compile(
    r":|@|www\.|\b(?:tel|phone|fax|gst|vat|ust|tax|reg|roc|invoice|receipt|bill|cash|e-?mail|date|rechnung|facture)\b",
    re.IGNORECASE,
)
"""What is no part of a name or an address."""
