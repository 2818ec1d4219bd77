"""Leaves of POSLog XML, read strictly: a field of the wrong type is refused, never believed.

Elements and attributes are found by their local name, whatever namespace or prefix a vendor uses.
All functions raise WireError (a case) naming the place and what stands there.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from lxml import etree

from tillbridge.contract.wire import WireError

Element: TypeAlias = etree._Element  # noqa: SLF001 - the public name of the type lxml gives

_AMOUNT = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.([0-9]{1,9}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_LOCAL: dict[str, str] = {}
TEXT_MAX = 500
# lxml locks a parser while it works, so threads may share one.
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    huge_tree=False,
    load_dtd=False,
    dtd_validation=False,
    remove_comments=True,
    remove_pis=True,
)


def local(name: object) -> str:
    """Local name of a tag or attribute name; "" for what is no element."""
    if not isinstance(name, str):
        return ""
    found = _LOCAL.get(name)
    if found is None:
        found = name.rpartition("}")[2]
        if len(_LOCAL) < 10_000:  # names come from outside; a hostile file must not fill memory
            _LOCAL[name] = found
    return found


def parse(body: bytes) -> Element:
    """Root of a document: no DTD, no entities, no network, no giant trees."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise WireError("the document declares a DTD or entities, which are never read")
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as problem:
        words = str(problem).removesuffix("(<string>, line 1)").strip()
        raise WireError(f"not well-formed XML: {words}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise WireError("the document declares a DTD, which is never read")
    return root


def attribute(element: Element, name: str) -> str:
    """Text of an attribute by local name, "" when it is not there."""
    found = element.get(name)
    if found is not None:
        return found.strip()
    for key, value in element.items():
        if key[0] == "{" and local(key) == name:
            return str(value).strip()
    return ""


def text(element: Element, where: str) -> str:
    """Text of a leaf without the white space around it."""
    if len(element):
        raise WireError(f"{where} holds elements where text should stand")
    found = (element.text or "").strip()
    if len(found) > TEXT_MAX:
        raise WireError(f"{where} holds {len(found)} characters")
    return found


def amount(element: Element, where: str) -> Decimal:
    """A decimal number as it is written: digits, one point, a leading sign; nothing else."""
    return decimal_of(text(element, where), where)


def decimal_of(found: str, where: str) -> Decimal:
    """The same from a text."""
    if _AMOUNT.fullmatch(found) is None:
        raise WireError(f"{where} {found!r} is no number")
    return Decimal(found)


def flag(element: Element, name: str, where: str) -> bool | None:
    """A boolean attribute (true, false, 1, 0), None when it is not there."""
    found = attribute(element, name)
    if not found and element.get(name) is None:
        return None
    return flag_of(found, f"{where}@{name}")


def flag_of(found: str, where: str) -> bool:
    """A boolean as XML Schema writes it; capitals as some tills write them."""
    value = _FLAGS.get(found.lower())
    if value is None:
        raise WireError(f"{where} {found!r} is neither true nor false")
    return value


def day(found: str, where: str) -> date:
    """A calendar day."""
    bare = found.removesuffix("Z")
    if _DATE.fullmatch(bare) is None:
        raise WireError(f"{where} {found!r} is no date")
    try:
        return date.fromisoformat(bare)
    except ValueError:
        raise WireError(f"{where} {found!r} is no date") from None


def moment(found: str, where: str) -> datetime:
    """A date and time, with its zone or without one (then it is the store's local time)."""
    match = _INSTANT.fullmatch(found)
    if match is None:
        raise WireError(f"{where} {found!r} is no date and time")
    clock, fraction, zone = match.groups()
    try:
        value = datetime.fromisoformat(clock + (zone or "").replace("Z", "+00:00"))
    except ValueError:
        raise WireError(f"{where} {found!r} is no date and time") from None
    return value.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")))


def currency_of(element: Element, where: str) -> str:
    """Currency attribute of an amount; "" when there is none or it says that there is none."""
    found = attribute(element, "Currency") or attribute(element, "CurrencyCode")
    if not found or found == "XXX":
        return ""
    if re.fullmatch(r"[A-Z]{3}", found) is None:
        raise WireError(f"{where} has currency {found!r}")
    return found


class Children:
    """Children of an element by local name, with strict readers for the single-valued ones."""

    __slots__ = ("_found", "element", "where")

    def __init__(self, element: Element, where: str) -> None:
        self.element = element
        self.where = where
        found: dict[str, list[Element]] = {}
        for child in element:
            tag = child.tag
            name = _LOCAL.get(tag) or local(tag)
            if name in found:
                found[name].append(child)
            else:
                found[name] = [child]
        self._found = found

    def names(self) -> list[str]:
        """Every name there is."""
        return list(self._found)

    def all(self, name: str) -> list[Element]:
        """Every child of that name."""
        return self._found.get(name, [])

    def first(self, *names: str) -> Element | None:
        """The first child of the first of the names that is there."""
        for name in names:
            if name in self._found:
                return self._found[name][0]
        return None

    def amount(self, *names: str) -> Decimal | None:
        """Amount of the first name that is there; told twice with other values is refused."""
        for name in names:
            if name in self._found:
                where = f"{self.where}/{name}"
                elements = self._found[name]
                first = amount(elements[0], where)
                for other in elements[1:]:
                    if amount(other, where) != first:
                        raise WireError(f"{where} is told twice, with different values")
                return first
        return None

    def text(self, *names: str) -> str:
        """Text of the first name with a non-empty one, else ""."""
        for name in names:
            for element in self._found.get(name, []):
                found = text(element, f"{self.where}/{name}")
                if found:
                    return found
        return ""

    def flag(self, name: str) -> bool | None:
        """A boolean written as text of a child, None when it is not there."""
        if name not in self._found:
            return None
        return flag_of(self.text(name), f"{self.where}/{name}")


def inner(element: Element | None, *names: str) -> str:
    """Text of the first child of one of the names, "" without it."""
    return "" if element is None else Children(element, local(element.tag)).text(*names)
