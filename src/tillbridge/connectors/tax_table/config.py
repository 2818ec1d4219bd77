"""Settings of a table of tax rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from tillbridge.connectors.tax_table.rates import Rate, parse_rates

Rounding = Literal["line", "document"]


class TaxTableSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which table, and how cents fall.

    table: file of the workspace. rounding: `line` rounds every tax of every line, half away from
    zero; `document` rounds each tax once over the document and gives the cents to the lines by the
    largest remainder. home: place whose rates hold where a document names none (`US-NY`), "" = it
    is refused. rates: the table's rows, read by whoever loads the workspace.
    """

    table: str = "taxes.csv"
    rounding: Rounding = "line"
    home: str = ""
    rates: tuple[Rate, ...] = ()

    def with_files(self, read: Callable[[str], str]) -> TaxTableSettings:
        """These settings with the rates in them; raises ValueError with file and line."""
        return msgspec.structs.replace(self, rates=parse_rates(read(self.table), self.table))
