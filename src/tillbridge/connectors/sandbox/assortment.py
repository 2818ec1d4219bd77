"""The example retailer, Tillbridge Outfitters: entities, places, products, taxes, and their names.

Two legal entities: `us` (USD) owns the web shop `web`, the warehouse `wh-east` and the stores
`store-nyc` and `store-bos`; `ca` (CAD) owns `store-tor`. Prices are minor units without tax. The
same thing is called differently everywhere: by SKU in the web shop, by GTIN at the tills, by item
number in the ERP and in the stock feed; `XREF` says what is what.
"""

from __future__ import annotations

import msgspec

LATE_PRODUCT = "P1030"  # sold on the web before anybody entered its name there


class Product(msgspec.Struct, frozen=True):
    """A product: our code, prices in US and Canadian cents, grams; clothing has tax rules."""

    code: str
    sku: str
    title: str
    variant: str
    department: str
    price: int
    price_cad: int
    grams: int

    @property
    def number(self) -> str:
        """The digits of our code."""
        return self.code[1:]

    @property
    def gtin(self) -> str:
        """GTIN-13 (a prefix that is reserved for use inside a company)."""
        digits = f"20000000{self.number}"
        odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
        return f"{digits}{-(odd + 3 * even) % 10}"

    @property
    def item(self) -> str:
        """What the ERP and the stock feed call it."""
        return f"ITEM-{self.number}"

    @property
    def clothing(self) -> bool:
        """Whether the clothing rules of a jurisdiction apply."""
        return self.department == "apparel"

    @property
    def name(self) -> str:
        """Title with variant."""
        return f"{self.title} - {self.variant}" if self.variant else self.title


PRODUCTS: tuple[Product, ...] = (
    Product("P1001", "TEE-ORG-BLK-M", "Organic Tee", "Black / M", "apparel", 2800, 3800, 180),
    Product("P1002", "TEE-ORG-BLK-L", "Organic Tee", "Black / L", "apparel", 2800, 3800, 190),
    Product("P1003", "TEE-ORG-WHT-M", "Organic Tee", "White / M", "apparel", 2800, 3800, 180),
    Product("P1004", "SHIRT-FLN-RED-M", "Flannel Shirt", "Red / M", "apparel", 6450, 8600, 320),
    Product("P1005", "SHIRT-FLN-GRN-L", "Flannel Shirt", "Green / L", "apparel", 6450, 8600, 340),
    Product("P1006", "PANT-TRL-KHA-32", "Trail Pant", "Khaki / 32", "apparel", 8900, 11900, 410),
    Product("P1007", "PANT-TRL-KHA-34", "Trail Pant", "Khaki / 34", "apparel", 8900, 11900, 420),
    Product("P1008", "JKT-RAIN-NVY-M", "Rain Jacket", "Navy / M", "apparel", 14900, 19900, 520),
    Product("P1009", "JKT-RAIN-NVY-L", "Rain Jacket", "Navy / L", "apparel", 14900, 19900, 540),
    Product("P1010", "SOCK-MER-GRY-M", "Merino Sock", "Grey / M", "apparel", 1650, 2200, 70),
    Product("P1011", "CAP-CNV-OLV", "Canvas Cap", "Olive", "apparel", 2400, 3200, 90),
    Product("P1012", "PACK-DAY-22", "Day Pack 22 L", "Slate", "bags", 7900, 10500, 780),
    Product("P1013", "PACK-TRK-45", "Trek Pack 45 L", "Rust", "bags", 16900, 22500, 1450),
    Product("P1014", "TOTE-CNV-NAT", "Canvas Tote", "Natural", "bags", 2200, 2900, 260),
    Product("P1015", "DUF-40-BLK", "Duffel 40 L", "Black", "bags", 9800, 12900, 900),
    Product("P1016", "BTL-STL-750", "Steel Bottle 750 ml", "Steel", "camp", 2995, 3995, 310),
    Product("P1017", "MUG-ENM-350", "Enamel Mug", "Speckled", "camp", 1295, 1695, 160),
    Product("P1018", "LAMP-HEAD-300", "Headlamp 300", "", "camp", 3999, 5299, 95),
    Product("P1019", "LANT-LED-USB", "LED Lantern", "USB", "camp", 4495, 5995, 410),
    Product("P1020", "STOVE-GAS-1", "Pocket Stove", "", "camp", 5495, 7295, 85),
    Product("P1021", "POT-TI-900", "Titanium Pot 900 ml", "", "camp", 6275, 8375, 130),
    Product("P1022", "TENT-2P-GRN", "Ridge Tent 2P", "Green", "camp", 24900, 32900, 2100),
    Product("P1023", "MAT-SLP-R4", "Sleeping Mat R4", "", "camp", 11950, 15900, 560),
    Product("P1024", "BAG-SLP-M5", "Sleeping Bag -5", "", "camp", 18900, 24900, 980),
    Product("P1025", "KNF-FLD-7", "Folding Knife", "7 cm", "tools", 4750, 6300, 75),
    Product("P1026", "TOOL-MULTI-12", "Multitool 12", "", "tools", 8325, 10995, 240),
    Product("P1027", "ROPE-6MM-20", "Cord 6 mm", "20 m", "tools", 1899, 2499, 480),
    Product("P1028", "MAP-CATS-E", "Trail Map", "Catskills East", "tools", 1399, 1849, 60),
    Product("P1029", "WAX-BOOT-100", "Boot Wax", "100 ml", "tools", 999, 1349, 120),
    Product("P1030", "HAT-WOOL-LTD", "Wool Hat", "Limited Edition", "apparel", 4200, 5600, 110),
)  # fmt: skip
GIFT_CARD_SKU = "GIFT-50"
GIFT_CARD_CODE = "GIFT50"
BY_CODE = {product.code: product for product in PRODUCTS}


class Location(msgspec.Struct, frozen=True):
    """A place: our code, owner, its id in the web shop, its id at the tills, in the feed, zone."""

    code: str
    entity: str
    title: str
    currency: str
    shop_id: str
    store_id: str
    feed_id: str
    timezone: str


_NEW_YORK, _TORONTO = "America/New_York", "America/Toronto"
LOCATIONS: tuple[Location, ...] = (
    Location("wh-east", "us", "Warehouse East", "USD", "70010000001", "", "EAST", _NEW_YORK),
    Location("store-nyc", "us", "New York", "USD", "70010000002", "101", "NYC", _NEW_YORK),
    Location("store-bos", "us", "Boston", "USD", "70010000003", "102", "BOS", _NEW_YORK),
    Location("store-tor", "ca", "Toronto", "CAD", "70010000004", "201", "TOR", _TORONTO),
)
STORES = tuple(location for location in LOCATIONS if location.store_id)
BY_LOCATION = {location.code: location for location in LOCATIONS}


class Levy(msgspec.Struct, frozen=True):
    """One tax of a place: our code, its title in the shop, its id at the tills, rate in ppm.

    clothing_below: clothing under that unit price (cents) is exempt; 0 = clothing is taxed.
    """

    code: str
    title: str
    till_id: str
    rate_ppm: int
    clothing_below: int = 0
    on_shipping: bool = True


EXEMPT = 10**9
# Rates and clothing rules as published for 2026; enough for an example, no tax advice.
NEW_YORK_CITY = (
    Levy("us-ny", "New York State Tax", "NY", 40000, 11000),
    Levy("us-ny-nyc", "New York City Tax", "NYC", 45000, 11000),
    Levy("us-ny-mctd", "Metropolitan Commuter Transportation District", "MCTD", 3750, 11000),
)
MASSACHUSETTS = (Levy("us-ma", "Massachusetts State Tax", "MA", 62500, 17500, on_shipping=False),)
NEW_JERSEY = (Levy("us-nj", "New Jersey State Tax", "NJ", 66250, EXEMPT),)
CONNECTICUT = (Levy("us-ct", "Connecticut State Tax", "CT", 63500),)
ONTARIO = (Levy("ca-on-hst", "Ontario HST", "HST", 130000),)
NO_TAX: tuple[Levy, ...] = ()
STORE_LEVIES = {"store-nyc": NEW_YORK_CITY, "store-bos": MASSACHUSETTS, "store-tor": ONTARIO}
LEVIES = (*NEW_YORK_CITY, *MASSACHUSETTS, *NEW_JERSEY, *CONNECTICUT, *ONTARIO)


class Destination(msgspec.Struct, frozen=True):
    """A town web orders go to, with the taxes there."""

    city: str
    state: str
    state_code: str
    postcode: str
    levies: tuple[Levy, ...]


DESTINATIONS: tuple[Destination, ...] = (
    Destination("New York", "New York", "NY", "10014", NEW_YORK_CITY),
    Destination("Brooklyn", "New York", "NY", "11215", NEW_YORK_CITY),
    Destination("Boston", "Massachusetts", "MA", "02116", MASSACHUSETTS),
    Destination("Cambridge", "Massachusetts", "MA", "02139", MASSACHUSETTS),
    Destination("Hoboken", "New Jersey", "NJ", "07030", NEW_JERSEY),
    Destination("Hartford", "Connecticut", "CT", "06103", CONNECTICUT),
    Destination("Portland", "Oregon", "OR", "97205", NO_TAX),
)
GATEWAYS = {"shopify_payments": "shop-pay", "paypal": "paypal", "gift_card": "gift-card"}
TILL_TENDERS = {"Cash": "cash", "CreditDebit": "card", "GiftCard": "gift-card"}
DEPARTMENTS = ("apparel", "bags", "camp", "tools")


class XrefRow(msgspec.Struct, frozen=True):
    """A cross-reference: in a table of a connection, their name and ours."""

    connection: str
    table: str
    theirs: str
    ours: str


def xref_rows() -> tuple[XrefRow, ...]:
    """All cross-references except the late one."""
    rows: list[XrefRow] = []
    for product in PRODUCTS:
        if product.code != LATE_PRODUCT:
            rows.append(XrefRow("web", "product", product.sku, product.code))
        rows += [
            XrefRow("stores", "product", product.gtin, product.code),
            XrefRow("erp", "product", product.item, product.code),
            XrefRow("feed", "product", product.item, product.code),
        ]
    rows.append(XrefRow("web", "product", GIFT_CARD_SKU, GIFT_CARD_CODE))
    rows.append(XrefRow("erp", "product", "ITEM-GIFT50", GIFT_CARD_CODE))
    for location in LOCATIONS:
        rows.append(XrefRow("web", "location", location.shop_id, location.code))
        rows.append(XrefRow("feed", "location", location.feed_id, location.code))
        if location.store_id:
            rows.append(XrefRow("stores", "location", location.store_id, location.code))
    for levy in LEVIES:
        rows.append(XrefRow("web", "tax", levy.title, levy.code))
        rows.append(XrefRow("stores", "tax", levy.till_id, levy.code))
    rows += [XrefRow("web", "tender", theirs, ours) for theirs, ours in GATEWAYS.items()]
    rows += [XrefRow("stores", "tender", theirs, ours) for theirs, ours in TILL_TENDERS.items()]
    rows += [XrefRow("stores", "department", name, name) for name in DEPARTMENTS]
    return tuple(sorted(rows, key=lambda row: (row.connection, row.table, row.theirs)))


def late_row() -> XrefRow:
    """The cross-reference somebody has to add in the middle of the day."""
    product = BY_CODE[LATE_PRODUCT]
    return XrefRow("web", "product", product.sku, product.code)


def xref_csv() -> bytes:
    """The tables as a file: `connection,table,theirs,ours`."""
    lines = ["connection,table,theirs,ours"]
    lines += [f"{row.connection},{row.table},{row.theirs},{row.ours}" for row in xref_rows()]
    return ("\n".join(lines) + "\n").encode()


def erp_products() -> tuple[str, ...]:
    """Item numbers the ERP knows."""
    return (*(product.item for product in PRODUCTS), "ITEM-GIFT50")
