"""Every canonical type survives the log, old versions are lifted, newer ones refused with words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tillbridge.canonical import registry
from tillbridge.canonical.fact import Command, Entities, Fact
from tillbridge.canonical.registry import (
    TYPES,
    UPCASTERS,
    UnknownType,
    decode,
    encode,
    name_of,
    schemas,
    version_of,
)

TEXTS = st.text(st.sampled_from('aZ0 /"\\\n\x00\u00e4\u20ac\U0001f600'), max_size=6)
PLAIN: dict[type[Any], st.SearchStrategy[Any]] = {
    msgspec.inspect.IntType: st.integers(-(2**63), 2**63 - 1),
    msgspec.inspect.StrType: TEXTS,
    msgspec.inspect.BoolType: st.booleans(),
    msgspec.inspect.BytesType: st.binary(max_size=6),
    msgspec.inspect.NoneType: st.none(),
    msgspec.inspect.DateTimeType: st.datetimes(timezones=st.just(UTC)),
    msgspec.inspect.DateType: st.dates(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, structs built from their own fields."""
    if isinstance(kind, msgspec.inspect.StructType):
        fields = {field.name: values(field.type) for field in kind.fields}
        return st.builds(kind.cls, **fields)
    if isinstance(kind, msgspec.inspect.UnionType):
        return st.one_of([values(one) for one in kind.types])
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return st.lists(values(kind.item_type), max_size=2).map(tuple)
    if isinstance(kind, msgspec.inspect.TupleType):
        return st.tuples(*[values(one) for one in kind.item_types])
    return PLAIN[type(kind)]


@pytest.mark.parametrize("name", sorted(TYPES))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_type_survives_the_log(name: str, data: st.DataObject) -> None:
    body = data.draw(values(msgspec.inspect.type_info(TYPES[name][0])))
    stored = encode(body)
    again = decode(name, version_of(name), stored)
    assert again == body
    assert encode(again) == stored
    assert name_of(again) == name


def test_every_body_says_whose_it_is() -> None:
    for name, (cls, _) in TYPES.items():
        assert issubclass(cls, (Fact, Command)), name
        assert cls.__struct_config__.frozen, name
        assert cls.__doc__, name
        assert {"key", "id"} <= set(cls.__struct_fields__), name


class Weighed(Fact, frozen=True, kw_only=True):
    """A type of this test, in its third version: grams, and a place."""

    grams: int
    place: str


@pytest.fixture
def weighed() -> Iterator[None]:
    """The type registered, with what lifts its older documents."""

    def to_grams(document: dict[str, Any]) -> dict[str, Any]:
        kilos = document.pop("kilos")
        return {**document, "grams": kilos * 1000}

    TYPES["Weighed"] = (Weighed, 3)
    registry._DECODERS["Weighed"] = msgspec.json.Decoder(Weighed)
    UPCASTERS[("Weighed", 1)] = to_grams
    UPCASTERS[("Weighed", 2)] = lambda document: {**document, "place": "unknown"}
    yield
    del TYPES["Weighed"], registry._DECODERS["Weighed"]
    del UPCASTERS[("Weighed", 1)], UPCASTERS[("Weighed", 2)]


ABOUT = {
    "key": "k",
    "id": "i",
    "source": "s",
    "mapping": "m/1",
    "occurred_at": "2026-01-01T00:00:00Z",
    "business_date": "2026-01-01",
    "entities": {"selling": "DE"},
}


@pytest.mark.usefixtures("weighed")
@pytest.mark.parametrize(
    ("version", "fields", "place"),
    [
        (1, {"kilos": 3}, "unknown"),
        (2, {"grams": 3000}, "unknown"),
        (3, {"grams": 3000, "place": "9"}, "9"),
    ],
)
def test_old_records_are_lifted_to_the_newest_version(
    version: int, fields: dict[str, Any], place: str
) -> None:
    found = decode("Weighed", version, msgspec.json.encode({**ABOUT, **fields}))
    assert isinstance(found, Weighed)
    assert (found.grams, found.place, found.entities) == (3000, place, Entities(selling="DE"))


@pytest.mark.usefixtures("weighed")
def test_a_newer_version_or_a_missing_step_is_refused_with_words() -> None:
    with pytest.raises(UnknownType, match=r"Weighed version 4 is newer than this release \(3\)"):
        decode("Weighed", 4, b"{}")
    kept = UPCASTERS.pop(("Weighed", 2))
    with pytest.raises(UnknownType, match="Weighed version 2 has no upcaster"):
        decode("Weighed", 2, msgspec.json.encode({**ABOUT, "grams": 1}))
    UPCASTERS[("Weighed", 2)] = kept


def test_an_unknown_type_is_refused_with_words() -> None:
    with pytest.raises(UnknownType, match="'MoonLanded' is unknown to this release"):
        decode("MoonLanded", 1, b"{}")


def test_the_schemas_are_json_schema_and_speak_of_every_type() -> None:
    found = schemas()
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["types"] == {name: version for name, (_, version) in TYPES.items()}
    assert set(TYPES) <= set(found["$defs"])
    for name, schema in found["$defs"].items():
        assert schema["type"] == "object", name
        assert schema["description"], name
        assert set(schema.get("required", ())) <= set(schema["properties"])
        for reference in _references(schema):
            assert reference.removeprefix("#/$defs/") in found["$defs"], reference
    assert msgspec.json.decode(msgspec.json.encode(found)) == found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def test_an_entity_in_a_role_falls_back_to_the_seller() -> None:
    entities = Entities(selling="A", tender="B")
    assert [entities.of(role) for role in ("selling", "tender", "liability")] == ["A", "B", "A"]
    with pytest.raises(ValueError, match="no role"):
        entities.of("buying")
