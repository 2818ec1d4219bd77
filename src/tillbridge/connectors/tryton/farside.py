"""What a document needs to know of the far side: ids of accounts, products, parties, places.

Filled by lookups.py, read by outbound.py; nothing here calls anybody.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tillbridge.atoms.errors import Refused


class Account(msgspec.Struct, frozen=True):
    """An account over there. revenue: whether an invoice line may name it."""

    id: int
    revenue: bool


class Product(msgspec.Struct, frozen=True):
    """A product over there: id, its unit and how many decimals that unit has."""

    id: int
    unit: int
    digits: int


class Buyer(msgspec.Struct, frozen=True):
    """A party over there with the address documents go to."""

    id: int
    address: int


class Warehouse(msgspec.Struct, frozen=True):
    """A warehouse over there with the zones goods are picked from, leave by and come back to."""

    id: int
    output: int
    storage: int
    input: int = 0


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a document needs to know of the far side, already looked up.

    sale_lines: our line id -> id of the line of the sale it belongs to.
    accounts: our account name -> account. A missing one raises Refused when it is needed.
    """

    company: int
    currency: int
    code: str
    buyer: Buyer | None = None
    warehouse: Warehouse | None = None
    products: Mapping[str, Product] = {}
    accounts: Mapping[str, Account] = {}
    sale_lines: Mapping[str, int] = {}
    shop: int = 0
    journal: int = 0
    period: int = 0
    receivable: int = 0
    customer_location: int = 0

    def account(self, name: str) -> Account:
        """The account of that name, or of its longest known prefix (`a/b/c`, `a/b`, `a`)."""
        parts = name.split("/")
        for length in range(len(parts), 0, -1):
            found = self.accounts.get("/".join(parts[:length]))
            if found:
                return found
        raise Refused(f"Tryton has no account {name!r} in this company", code="account_missing")

    def product(self, code: str) -> Product | None:
        """The product of that code; None for a line without goods."""
        if not code:
            return None
        found = self.products.get(code)
        if found is None:
            raise Refused(f"Tryton has no product {code!r}", code="product_missing")
        return found

    def sure_buyer(self) -> Buyer:
        """The buyer; Refused when there is none."""
        if self.buyer is None:
            raise Refused("the buyer has no party with an address in Tryton", code="party_missing")
        return self.buyer

    def sure_warehouse(self) -> Warehouse:
        """The warehouse; Refused when there is none."""
        if self.warehouse is None:
            words = "Tryton has no warehouse for the document's location"
            raise Refused(words, code="location_missing")
        return self.warehouse
