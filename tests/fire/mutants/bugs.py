"""All seeded bugs, in the order of the data's way through the hub."""

from __future__ import annotations

from tests.fire.mutants.bugs_api import API, PUBLICATION
from tests.fire.mutants.bugs_books import MONEY, ORDERS, STOCK
from tests.fire.mutants.bugs_floor import INTAKE, LOG, OUTBOUND
from tests.fire.mutants.bugs_guards import PEOPLE, SECURITY
from tests.fire.mutants.bugs_holds import HOLDS

BUGS = (
    *(*INTAKE, *LOG, *ORDERS, *STOCK, *HOLDS, *API, *MONEY),
    *(*OUTBOUND, *PUBLICATION, *SECURITY, *PEOPLE),
)
