"""Settings of a Stripe account as a settlement source."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tillbridge.contract.wire import WireError, instant

SECRET_NAME = "api_key"  # noqa: S105 - the name, not the secret


class StripeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account. Secret for polls: `api_key`, a restricted key that may read balance
    transactions and payouts.

    order_column: the column of an itemised report that holds our order number, as metadata put
    it there (`payment_metadata[order]`); order_metadata: the key of a charge's metadata that holds
    it; "" = none. connected_account: `acct_...` that is read with its platform's key; "" = the
    key's own. take_tests: whether payouts of the test mode count. start_at: RFC 3339 instant from
    which payouts are read; "" = all. overlap_days: how far each run reaches back; a paid payout may
    fail within five working days. page_size: payouts per call.
    """

    order_column: str = ""
    order_metadata: str = ""
    url: str = "https://api.stripe.com"
    api_version: str = "2026-10-28.endive"
    connected_account: str = ""
    take_tests: bool = False
    start_at: str = ""
    overlap_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 14
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0

    def __post_init__(self) -> None:
        """Refuse what could never work; the loader shows the words beside the setting."""
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("url must start with https://")
        if self.connected_account and not self.connected_account.startswith("acct_"):
            raise ValueError(f"connected_account {self.connected_account!r} is not like acct_1Ab")
        try:
            instant(self.start_at or "2026-01-01T00:00:00Z")
        except WireError as problem:
            raise ValueError(f"start_at: {problem}") from None
