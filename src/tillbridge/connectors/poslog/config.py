"""Settings of one POSLog connection, as they stand in the workspace."""

import msgspec

# Smallest coin in minor units where cash is rounded to it by custom or law. Sources: Swiss National
# Bank, Bank of Canada, Reserve Banks of Australia and New Zealand, Riksbank, Norges Bank,
# Danmarks Nationalbank, Magyar Nemzeti Bank, Ceska narodni banka.
CASH_STEPS = {
    "AUD": 5,
    "CAD": 5,
    "CHF": 5,
    "CZK": 100,
    "DKK": 50,
    "HUF": 500,
    "NOK": 100,
    "NZD": 10,
    "SEK": 100,
}


class PoslogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a store's log does not say by itself.

    rounding_tolerance: minor units by which the log's own totals may disagree with each other (or
    lines told with more decimals than the currency has); shown as a line of kind `rounding`.
    cash_step: smallest coin in minor units; None takes the currency's custom, 1 = cash is exact.
    default_weight_unit: UN/ECE unit of a line marked as weighed without a unit.
    department_level: which MerchandiseHierarchy names the department; without one of that level
    the first one does. map_departments: false leaves departments out (no table to keep).
    tender_ids: false where TenderID is the id of a payment instead of a kind of tender.
    tender_kinds: their tender name ("Voucher" or "Voucher:7") -> kind (canonical TENDER_KINDS).
    item_kinds: their ItemType -> kind of line (canonical LINE_KINDS).
    orders: connection whose orders goods are brought back of; the log names an order as that
    connection does, or by the key the hub told with the return's authorisation.
    other_issuers: their tender names that are cards or credit of another legal entity.
    count_element: element beside the transactions that says how many there are (a local name such
    as `TransactionCount`), "" = files tell no count.
    piece_max_bytes: a transaction larger than this is a broken piece.
    """

    rounding_tolerance: int = 2
    cash_step: int | None = None
    default_weight_unit: str = "LBR"
    department_level: str = "Department"
    map_departments: bool = True
    tender_ids: bool = True
    tender_kinds: dict[str, str] = {}
    item_kinds: dict[str, str] = {}
    other_issuers: tuple[str, ...] = ()
    orders: str = ""
    count_element: str = ""
    piece_max_bytes: int = 8 * 1024 * 1024

    def step_of(self, currency: str) -> int:
        """Smallest coin of a currency in minor units; 1 when cash is exact."""
        return CASH_STEPS.get(currency, 1) if self.cash_step is None else self.cash_step
