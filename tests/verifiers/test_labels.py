"""A field's name and title say what it is; nothing else does."""

import pytest

from verifiers.caption_words import Caption
from verifiers.json_types import JsonObject
from verifiers.labels import DEPTH_MAX, Kind, Label, field_labels, property_names


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("total", Kind.TOTAL),
        ("grand_total", Kind.TOTAL),
        ("totalAmount", Kind.TOTAL),
        ("amount_due", Kind.PAYABLE),
        ("balance_due", Kind.PAYABLE),
        ("outstanding_amount", Kind.PAYABLE),
        ("balance_due_date", Kind.DATE),
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
        ("total_items", None),
        ("total_quantity", None),
        ("total_discount", None),
        ("net_weight", None),
        ("tax_rate", None),
        ("total_value_of_items", Kind.TOTAL),
        ("description", None),
        ("_", None),
    ],
)
def test_a_name_tells_a_kind(name: str, kind: Kind | None) -> None:
    assert field_labels({"properties": {name: {"type": "string"}}})[name].kind is kind


def test_a_title_tells_what_a_name_does_not() -> None:
    label = field_labels({"properties": {"f3": {"type": "string", "title": "Delivery date"}}})["f3"]

    assert label == Label(Kind.DELIVERY, ("f", "delivery date"))


def test_a_total_of_items_is_no_count_of_them() -> None:
    labels = field_labels(
        {"properties": {"total": {"title": "Total of all items"}, "n": {"title": "Total items"}}}
    )

    assert labels["total"].kind is Kind.TOTAL
    assert labels["n"].kind is None


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


@pytest.mark.parametrize(
    ("node", "is_chosen"),
    [
        pytest.param({"type": "string", "enum": ["cash", "card"]}, True, id="enum"),
        pytest.param({"const": "invoice"}, True, id="const"),
        pytest.param({"type": "boolean"}, True, id="boolean"),
        pytest.param({"type": ["boolean", "null"]}, True, id="boolean or null"),
        pytest.param({"anyOf": [{"enum": ["cash"]}, {"type": "null"}]}, True, id="enum or null"),
        pytest.param({"$ref": "#/$defs/Way"}, True, id="by reference"),
        pytest.param({"anyOf": [{"enum": ["cash"]}, {"type": "string"}]}, False, id="enum or any text"),
        pytest.param({"type": "string"}, False, id="text"),
        pytest.param({}, False, id="anything"),
    ],
)
def test_a_field_is_chosen_if_all_its_values_are_the_schemas_own(node: JsonObject, is_chosen: bool) -> None:
    schema: JsonObject = {"$defs": {"Way": {"enum": ["cash", "card"]}}, "properties": {"f": node}}

    assert field_labels(schema)["f"].is_chosen is is_chosen


@pytest.mark.parametrize(
    ("node", "is_nullable"),
    [
        pytest.param({"type": ["string", "null"]}, True, id="among types"),
        pytest.param({"anyOf": [{"type": "string"}, {"type": "null"}]}, True, id="among choices"),
        pytest.param({"enum": ["a", None]}, True, id="among values"),
        pytest.param({}, True, id="anything"),
        pytest.param({"type": "string"}, False, id="a text only"),
        pytest.param({"enum": ["a"]}, False, id="a value only"),
    ],
)
def test_a_field_is_nullable_if_its_schema_takes_null(node: JsonObject, is_nullable: bool) -> None:
    assert field_labels({"properties": {"f": node}})["f"].is_nullable is is_nullable


@pytest.mark.parametrize(
    ("name", "is_identifier"),
    [
        ("invoice_number", True),
        ("orderNo", True),
        ("customer_id", True),
        ("number_of_items", False),
        ("total", False),
        ("deposit", False),
    ],
)
def test_a_number_that_names_a_thing_is_an_identifier(name: str, is_identifier: bool) -> None:
    assert field_labels({"properties": {name: {}}})[name].is_identifier is is_identifier


def test_choices_that_hold_themselves_are_walked_once() -> None:
    """Ten branches that each lead back would be ten to the eighth steps."""
    again: JsonObject = {"anyOf": [{"$ref": "#/$defs/Again"} for _ in range(10)]}
    schema: JsonObject = {"$defs": {"Again": again}, "properties": {"f": {"$ref": "#/$defs/Again"}}}

    assert field_labels(schema).keys() == {"f"}
