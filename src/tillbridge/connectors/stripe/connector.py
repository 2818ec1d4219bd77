"""The connector: signs ReadsSettlements, Polls and ChecksConnection."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, cast

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.stripe import inbound, inbound_answers
from tillbridge.connectors.stripe.client import StripeApi
from tillbridge.connectors.stripe.config import SECRET_NAME, StripeConfig
from tillbridge.contract import payout_runs
from tillbridge.contract.promises import Connection, Page
from tillbridge.contract.transport import Transport


class StripeConnector:
    """Payouts of a Stripe account, out of its files or by itself. Keeps no state."""

    name = "stripe"
    config: type[msgspec.Struct] = StripeConfig
    streams: tuple[str, ...] = (payout_runs.STREAM,)

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is an export of balance transactions or payouts, or answers of the API."""
        del name, connection
        return inbound.is_ours(head) or inbound_answers.is_ours(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines or payouts of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        ahead = stream if isinstance(stream, io.BufferedReader) else _buffered(stream)
        reader = inbound_answers.read if ahead.peek(1)[:1] == b"{" else inbound.read
        return reader(cast("BinaryIO", ahead), connection.settings)

    def poll(
        self,
        stream: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Page:
        """A page of payouts, each with its balance transactions once Stripe lists them."""
        settings: StripeConfig = connection.settings
        return payout_runs.poll_payouts(
            _api(connection, secrets, transport),
            stream,
            cursor,
            connection.name,
            settings.start_at,
            timedelta(days=settings.overlap_days),
        )

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """Whether the key may read what is polled; raises RetryLater, Refused."""
        newest = _api(connection, secrets, transport).newest()
        if newest is None:
            return "Stripe answers; there was no payout yet"
        mode = "live" if newest.livemode else "test"
        day = datetime.fromtimestamp(newest.created, UTC).date()
        return f"Stripe answers in {mode} mode; the last payout is {newest.id} of {day}"


def _api(connection: Connection, secrets: Mapping[str, str], transport: Transport) -> StripeApi:
    return StripeApi(connection.settings, secrets.get(SECRET_NAME, ""), transport)


def _buffered(stream: BinaryIO) -> io.BufferedReader:
    return io.BufferedReader(cast("Any", stream))
