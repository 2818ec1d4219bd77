"""The routes of the API, one row each, which `/v1/openapi.json` and docs/api.md follow."""

from __future__ import annotations

from tillbridge.app.api.availability_reads import AvailabilityQuery, tell_availability
from tillbridge.app.api.checkout import Basket, BasketChecked, validate
from tillbridge.app.api.fulfilments import (
    FactTaken,
    Fulfilment,
    PickFailure,
    Substitute,
    tell_fulfilment,
    tell_pick_failure,
    tell_substitution,
)
from tillbridge.app.api.observing import CaseQuery, Cases, tell_cases, tell_status, tell_verify
from tillbridge.app.api.openapi import contract_routes
from tillbridge.app.api.orders import OrderStanding, OrderTaken, take_order, tell_order
from tillbridge.app.api.payments import PaymentTaken, take_payment
from tillbridge.app.api.questions import Availability
from tillbridge.app.api.reservation_answers import (
    Confirming,
    Moving,
    Releasing,
    Reservation,
    ReservationAsked,
)
from tillbridge.app.api.reservations import (
    confirm_reservation,
    move_reservation,
    place_reservation,
    release_reservation,
    tell_reservation,
)
from tillbridge.app.api.return_answers import ReturnAsked, ReturnTold
from tillbridge.app.api.returns import authorize
from tillbridge.app.api.routes import PREFIX, Route, asking
from tillbridge.app.api.transfers import (
    TransferAsked,
    TransferStanding,
    TransferTaken,
    take_transfer,
    tell_transfer,
)
from tillbridge.connectors.direct.wire import OrderDocument
from tillbridge.connectors.direct.wire_payments import PaymentDocument
from tillbridge.watch.status import Status
from tillbridge.watch.verification import Verification

_ROWS: tuple[Route, ...] = (
    Route(
        method="GET",
        path=f"{PREFIX}/status",
        words="What is pending and since when",
        scope="look",
        handle=asking(tell_status),
        answers={200: Status},
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/cases",
        words="Cases of the operator's entities",
        scope="look",
        handle=asking(tell_cases),
        query=CaseQuery,
        answers={200: Cases},
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/verify/last",
        words="What the newest run of verify found",
        scope="look",
        handle=asking(tell_verify),
        answers={200: Verification},
        problems=("not-found",),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/availability",
        words="What the client's channel may sell, by product and location",
        scope="availability:read",
        handle=tell_availability,
        query=AvailabilityQuery,
        answers={200: Availability},
        problems=("location-unknown",),
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/reservations",
        words="Hold stock for a cart or an order, all lines or none",
        scope="reservations:write",
        handle=place_reservation,
        asks=ReservationAsked,
        answers={201: Reservation},
        problems=(
            "stock-short",
            "product-unknown",
            "product-not-sellable",
            "location-unknown",
            "refused",
        ),
        keyed=True,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/reservations/{{id}}",
        words="How a reservation stands",
        scope="reservations:write",
        handle=asking(tell_reservation),
        answers={200: Reservation},
        problems=("not-found",),
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/reservations/{{id}}/confirm",
        words="Keep a reservation: it does not end by itself any more",
        scope="reservations:write",
        handle=confirm_reservation,
        asks=Confirming,
        answers={200: Reservation},
        problems=("not-found", "reservation-ended"),
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/reservations/{{id}}/move",
        words="Let a reservation stand at other locations",
        scope="reservations:write",
        handle=move_reservation,
        asks=Moving,
        answers={200: Reservation},
        problems=("not-found", "reservation-ended", "stock-short", "location-unknown"),
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/reservations/{{id}}/release",
        words="Give back what a reservation holds",
        scope="reservations:write",
        handle=release_reservation,
        asks=Releasing,
        answers={200: Reservation},
        problems=("not-found", "reservation-ended"),
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/checkout/validate",
        words="Whether a basket can be sold as it is; nothing is held",
        scope="checkout:validate",
        handle=asking(validate),
        asks=Basket,
        answers={200: BasketChecked},
        problems=("location-unknown",),
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/returns/authorizations",
        words="What of a sale may come back, and authorise it",
        scope="returns:write",
        handle=asking(authorize),
        asks=ReturnAsked,
        answers={200: ReturnTold},
        problems=("not-found", "refused", "location-unknown", "store-away"),
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/orders",
        words="Hand in an order of a channel without a connector",
        scope="orders:write",
        handle=take_order,
        asks=OrderDocument,
        answers={202: OrderTaken},
        problems=("refused", "order-contradicts", "product-unknown", "location-unknown"),
        keyed=True,
        body_most=1_048_576,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/orders/{{number}}",
        words="How an order of the client's channel stands",
        scope="orders:write",
        handle=asking(tell_order),
        answers={200: OrderStanding},
        problems=("not-found",),
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/transfers",
        words="Have one location send goods to another",
        scope="stock.tell",
        handle=take_transfer,
        asks=TransferAsked,
        answers={202: TransferTaken},
        problems=("refused", "product-unknown", "location-unknown"),
        keyed=True,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/transfers/{{number}}",
        words="How a transfer stands",
        scope="look",
        handle=asking(tell_transfer),
        answers={200: TransferStanding},
        problems=("not-found",),
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/payments",
        words="Tell what happened to a payment: held, taken, let go, given back, disputed",
        scope="payments:write",
        handle=take_payment,
        asks=PaymentDocument,
        answers={202: PaymentTaken},
        problems=("refused", "payment-impossible"),
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/orders/{{number}}/pick-failures",
        words="Tell that a location did not find goods of an order, or refuses it",
        scope="fulfilments:write",
        handle=asking(tell_pick_failure),
        asks=PickFailure,
        answers={202: FactTaken},
        problems=("not-found", "refused", "product-unknown", "location-unknown"),
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/orders/{{number}}/fulfilments",
        words="Tell what became of a parcel or a bag of an order",
        scope="fulfilments:write",
        handle=asking(tell_fulfilment),
        asks=Fulfilment,
        answers={202: FactTaken},
        problems=("not-found", "refused", "product-unknown", "location-unknown"),
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{PREFIX}/orders/{{number}}/substitutions",
        words="Tell what goes out instead of what was ordered",
        scope="fulfilments:write",
        handle=asking(tell_substitution),
        asks=Substitute,
        answers={202: FactTaken},
        problems=("not-found", "refused", "product-unknown", "location-unknown"),
        keyed=True,
    ),
)
ROUTES: tuple[Route, ...] = (*_ROWS, *contract_routes(_ROWS))
