"""Tax documents: told twice has one effect; orders come out the same whatever came first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration import trade
from tests.orchestration.trade import KEY, Model, Trade, trades
from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused, SubmitDocument
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundIssued, RefundLine
from tillbridge.canonical.taxes import (
    CALCULATE,
    LineTaxes,
    TaxAsked,
    TaxCalculated,
    TaxDocument,
    TaxItem,
)
from tillbridge.canonical.valued import SaleRecognised, SaleReversed
from tillbridge.orchestration.orders.decide import decide as decide_order
from tillbridge.orchestration.policies import ChannelPolicy, Policies
from tillbridge.orchestration.taxes.decide import decide, tax_of
from tillbridge.orchestration.taxes.state import TaxState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DOCUMENT = f"tax/{KEY}/refund-7"


def policies(**words: Any) -> Policies:
    channel = ChannelPolicy(
        channel="web", entity="us", fulfil_from=("wh", "store"), tax_service="avatax", **words
    )
    return Policies(channels={"web": channel})


def asked(goal: str, amount: int = 1000, tax: int = 0) -> TaxAsked:
    taxes = (TaxLine("t", "us-ny", tax),) if tax else ()
    item = TaxItem(
        line="0.1", kind="goods", product="P1", quantity=1000, amount=amount, taxes=taxes
    )
    document = TaxDocument(
        code=DOCUMENT,
        number="#1",
        channel="web",
        currency="USD",
        direction="return",
        document_date=date(2026, 3, 9),
        tax_date=date(2026, 3, 2),
        items=(item,),
        recorded=True,
    )
    return TaxAsked(
        key=DOCUMENT,
        id="x",
        order=KEY,
        subject="refund-7",
        digest=f"{goal}/{amount}/{tax}",
        goal=goal,
        service="avatax",
        entity="us",
        document=document,
    )


def accepted(command: SubmitDocument, tax: int = 80) -> DocumentAccepted:
    taxes = (LineTaxes("0.1", (TaxLine("t", "us-ny", tax),)),) if command.kind == CALCULATE else ()
    return msgspec.convert(
        {**about(command), "remote_id": "1", "number": "1", "taxes": taxes},
        DocumentAccepted,
        from_attributes=True,
    )


def refused(command: SubmitDocument) -> DocumentRefused:
    return DocumentRefused(**about(command), words="no")


def about(command: SubmitDocument) -> dict[str, Any]:
    return {
        "key": command.key,
        "id": f"{command.id}/answer",
        "source": "hub",
        "mapping": "hub/1",
        "occurred_at": NOON,
        "business_date": date(2026, 3, 9),
        "entities": Entities(selling="us"),
        "operation": command.id,
        "kind": command.kind,
        "destination": "avatax",
    }


def follows(state: TaxState, body: Body) -> list[Body]:
    return decide(state, body).emits


def submitted(state: TaxState, body: Body) -> SubmitDocument:
    (command,) = follows(state, body)
    assert isinstance(command, SubmitDocument)
    return command


def test_calculated_then_committed_each_asked_once() -> None:
    state = TaxState(key=DOCUMENT)
    work_out = submitted(state, asked("calculated"))
    assert (work_out.kind, work_out.id, work_out.connection) == (
        "tax_calculate",
        f"{DOCUMENT}/1",
        "avatax",
    )
    assert follows(state, asked("calculated")) == []
    (told,) = follows(state, accepted(work_out))
    assert isinstance(told, TaxCalculated)
    assert (told.key, told.subject, told.digest) == (KEY, "refund-7", "calculated/1000/0")
    assert (state.state, tax_of(state)) == ("calculated", 80)
    keep = submitted(state, asked("committed", tax=80))
    assert (keep.kind, keep.id) == ("tax_commit", f"{DOCUMENT}/2")
    assert follows(state, asked("committed", tax=80)) == []
    assert follows(state, accepted(keep)) == []
    assert state.state == "committed"


def test_other_content_is_recorded_adjusted_and_taken_back() -> None:
    state = TaxState(key=DOCUMENT)
    work_out = submitted(state, asked("calculated"))
    follows(state, accepted(work_out))
    first = submitted(state, asked("committed", tax=79))  # not what was worked out
    assert first.kind == "tax_record"
    follows(state, accepted(first))
    second = submitted(state, asked("committed", amount=900, tax=72))
    assert second.kind == "tax_adjust"
    follows(state, accepted(second))
    gone = submitted(state, asked("voided"))
    assert gone.kind == "tax_void"
    follows(state, accepted(gone))
    assert (state.state, state.n) == ("voided", 4)
    assert submitted(state, asked("committed", tax=79)).kind == "tax_record"


def test_what_was_never_there_is_not_taken_back() -> None:
    assert follows(TaxState(key=DOCUMENT), asked("voided")) == []


def test_a_refusal_stands_until_the_same_operation_is_accepted() -> None:
    state = TaxState(key=DOCUMENT)
    work_out = submitted(state, asked("calculated"))
    (told,) = follows(state, refused(work_out))
    assert type(told).__name__ == "TaxRefused"
    assert (state.state, state.words) == ("refused", "no")
    (told,) = follows(state, accepted(work_out))
    assert isinstance(told, TaxCalculated)
    assert (state.state, state.words) == ("calculated", "")


def test_an_answer_nobody_waits_for_changes_nothing() -> None:
    state = TaxState(key=DOCUMENT)
    old = submitted(state, asked("calculated"))
    follows(state, accepted(old))
    strange = msgspec.structs.replace(accepted(old), operation=f"{DOCUMENT}/9")
    assert follows(state, strange) == []
    assert follows(state, refused(old)) == []
    assert state.state == "calculated"


class TaxModel(Model):
    """Answers every wish for tax as a service would: eight percent, half a cent up."""

    def __init__(self, **words: Any) -> None:
        super().__init__(policies(**words))
        self.documents_told: dict[str, TaxState] = {}

    def tell(self, facts: Iterable[Body]) -> Model:
        """Fold facts; what is asked of the tax service is answered at once."""
        for fact in facts:
            before = len(self.emitted)
            super().tell([fact])
            for wish in [one for one in self.emitted[before:] if isinstance(one, TaxAsked)]:
                self.tell(self._served(wish))
        return self

    def _served(self, wish: TaxAsked) -> list[Body]:
        state = self.documents_told.setdefault(wish.key, TaxState(key=wish.key))
        told: list[Body] = []
        for command in follows(state, wish):
            assert isinstance(command, SubmitDocument)
            told += follows(state, _answered(command))
        return told

    def kept(self) -> int:
        """Tax the service has, sales less returns."""
        states = [one for one in self.documents_told.values() if one.state == "committed"]
        return sum(
            tax_of(one) * (1 if one.document and one.document.direction == "sale" else -1)
            for one in states
        )

    def booked(self) -> int:
        """Tax in the books that we owe, sales less returns."""
        facts = [one for one in self.emitted if isinstance(one, SaleRecognised | SaleReversed)]
        return sum(
            tax.tax * (1 if isinstance(fact, SaleRecognised) else -1)
            for fact in facts
            for tax in fact.taxes
        )


def _answered(command: SubmitDocument) -> DocumentAccepted:
    document = command.tax
    assert document is not None
    lines = tuple(
        LineTaxes(one.line, (TaxLine("t", "us-ny", (one.amount * 8 + 50) // 100),))
        for one in document.items
    )
    return DocumentAccepted(
        **about(command),
        remote_id="1",
        number="1",
        taxes=lines if command.kind == CALCULATE else (),
    )


def untold(fact: Fact) -> Fact:
    """The same fact of a source that names no tax of what came back."""
    if not isinstance(fact, RefundIssued):
        return fact
    lines = tuple(
        msgspec.structs.replace(one, taxes=(), tax="missing") if one.restock != "cancel" else one
        for one in fact.lines
    )
    return msgspec.structs.replace(fact, lines=lines)


_SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_SETTINGS
@given(story=trades(), data=st.data(), hurried=st.booleans())
def test_any_order_of_arrival_ends_the_same_with_tax_worked_out(
    story: Trade, data: st.DataObject, *, hurried: bool
) -> None:
    facts = [untold(one) for one in story.facts]
    again = data.draw(st.lists(st.sampled_from(facts), max_size=4))
    shuffled = data.draw(st.permutations([*facts, *again]))
    needed = "as_sold" if hurried else "wait"
    first = TaxModel(tax_needed=needed, tax_records=True)
    other = TaxModel(tax_needed=needed, tax_records=True)
    assert first.tell(shuffled).end() == other.tell(facts).end()
    assert first.kept() == first.booked()
    assert other.kept() == other.booked()


def sale() -> list[Fact]:
    one = trade.line("1", quantity=3000, list=10000, taxes=(TaxLine("t", "us-ny", 797),))
    told = trade.order([one])
    return [trade.placed(told), trade.capture(told.total), trade.parcel("p", {"1": 3})]


def back(name: str, pieces: int, net: int, **words: Any) -> RefundIssued:
    line = RefundLine("1", pieces * 1000, net, restock="return", location="store", **words)
    return trade.refund(name, [line], paid=False)


def test_a_full_return_takes_back_the_tax_of_the_sale_whatever_the_service_says() -> None:
    model = TaxModel(tax_records=True)
    model.tell([*sale(), back("a", 1, 3333, tax="missing"), back("b", 2, 6667, tax="missing")])
    assert model.state.reversed["a\x1f0\x1f1"].taxes == {"us-ny\x1ft\x1fseller": 267}
    assert model.state.reversed["b\x1f0\x1f1"].taxes == {"us-ny\x1ft\x1fseller": 797 - 267}
    assert (model.kept(), model.booked()) == (0, 0)


def test_a_tax_inside_the_amount_is_taken_out_of_it() -> None:
    model = TaxModel(tax_records=True)
    model.tell([*sale(), back("a", 1, 3600, tax="included")])
    value = model.state.reversed["a\x1f0\x1f1"]
    assert value.list - value.discount + sum(value.taxes.values()) == 3600


def test_without_a_tax_service_a_return_takes_its_part_of_the_sale() -> None:
    model = Model()
    model.tell([*sale(), back("a", 1, 3333, tax="missing"), back("b", 2, 6667, tax="missing")])
    taxes = [sum(value.taxes.values()) for value in model.state.reversed.values()]
    assert taxes == [265, 532]


def test_an_order_without_tax_and_without_a_service_is_noticed_and_does_not_go_out() -> None:
    told = trade.order([trade.line("1", taxes=())], tax="missing")
    model = Model().tell([trade.placed(told), trade.capture(1000)])
    assert model.notices == ["tax_missing"]
    assert model.documents("sales_order") == []
    taxed = TaxModel().tell([trade.placed(told), trade.capture(1000)])
    order = taxed.state.order
    assert order is not None
    assert (order.tax, order.total) == ("calculated", 1080)
    # the same version again is no news, a later one is asked about anew
    assert not decide_order(taxed.state, trade.placed(told), policies()).emits
    later = msgspec.structs.replace(
        trade.order([trade.line("1", taxes=(), list=2000)], at=3), tax="missing"
    )
    taxed.tell([trade.changed(later)])
    assert taxed.state.order is not None
    assert taxed.state.order.total == 2160
