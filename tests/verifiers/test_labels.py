"""A field's name and title say what it is; nothing else does."""

import pytest

from verifiers.captions import Caption
from verifiers.json_types import JsonObject
from verifiers.labels import DEPTH_MAX, Kind, Label, field_labels, property_names


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("total", Kind.TOTAL),
        ("grand_total", Kind.TOTAL),
        ("totalAmount", Kind.TOTAL),
        ("amount_due", Kind.TOTAL),
        ("net_total", Kind.NET),
        ("subtotal", Kind.NET),
        ("total_tax", Kind.TAX),
        ("date", Kind.DATE),
        ("invoice_date", Kind.DATE),
        ("Rechnungsdatum", Kind.DATE),
        ("due_date", Kind.DUE),
        ("deadline", Kind.DUE),
        ("deliveryDate", Kind.DELIVERY),
        ("order_date", Kind.ORDER),
        ("date_of_birth", Kind.BIRTH),
        ("company", Kind.NAME),
        ("vendor_name", Kind.NAME),
        ("vendor_address", Kind.ADDRESS),
        ("delivery_address", Kind.ADDRESS),
        ("Anschrift", Kind.ADDRESS),
        ("order_number", None),
        ("customer_id", None),
        ("supplier_phone", None),
        ("first_name", None),
        ("description", None),
        ("_", None),
    ],
)
def test_a_name_tells_a_kind(name: str, kind: Kind | None) -> None:
    assert field_labels({"properties": {name: {"type": "string"}}})[name].kind is kind


def test_a_title_tells_what_a_name_does_not() -> None:
    label = field_labels({"properties": {"f3": {"title": "Delivery date"}}})["f3"]

    assert label == Label(Kind.DELIVERY, ("f", "delivery date"))


def test_fields_are_found_in_items_choices_and_references() -> None:
    schema: JsonObject = {
        "$defs": {"Party": {"properties": {"address": {"type": "string"}}}},
        "properties": {
            "items": {"type": "array", "items": {"properties": {"amount": {}}}},
            "seller": {"$ref": "#/$defs/Party"},
            "buyer": {"anyOf": [{"$ref": "#/$defs/Party"}, {"type": "null"}]},
        },
    }

    assert {"items[].amount", "seller.address", "buyer.address"} <= field_labels(schema).keys()


def test_a_schema_that_holds_itself_is_walked_to_a_depth() -> None:
    labels = field_labels({"properties": {"child": {"$ref": "#"}, "sibling": {"$ref": "#"}}})

    assert max(path.count(".") for path in labels) < DEPTH_MAX


def test_the_names_of_a_schema_are_those_of_its_properties() -> None:
    schema: JsonObject = {
        "title": "T",
        "properties": {"a": {"items": {"properties": {"b": {"enum": ["c"]}}}}},
        "additionalProperties": {"type": "string"},
    }

    assert property_names(schema) == {"a", "b"}


def test_a_value_that_is_said_to_be_something_else_fits_less_than_an_uncaptioned_one() -> None:
    total = Label(Kind.TOTAL, ("total",))

    fits = [total.fit(caption, "") for caption in (Caption.GRAND_TOTAL, Caption.TOTAL, None, Caption.CHANGE)]

    assert fits == [2, 1, 0, -1]


@pytest.mark.parametrize(("words", "fit"), [("page count", 0), ("age:", 1), ("the age of", 1), ("", 0)])
def test_a_field_of_no_kind_fits_where_its_own_name_stands(words: str, fit: int) -> None:
    assert Label(None, ("age",)).fit(None, words) == fit
