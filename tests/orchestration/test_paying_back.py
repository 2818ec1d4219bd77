"""Money the hub has given back: what is owed, once, whatever order the answers come in."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import (
    POLICIES,
    Model,
    about,
    capture,
    line,
    order,
    parcel,
    placed,
    refund,
    version,
)
from tillbridge.canonical.channel_documents import RefundDocument
from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused, SubmitDocument
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.payments import RefundFailed
from tillbridge.canonical.returns import (
    GoodsReturned,
    RefundApproved,
    RefundIssued,
    RefundLine,
    ReturnedLine,
)
from tillbridge.orchestration.orders.paying_back import APPROVAL
from tillbridge.orchestration.terms import OrderTerms, parse_terms

GOODS = (line("a", quantity=3000, list=3000), line("b", quantity=2000, list=500))
ORDER = order(GOODS)
SENT = [placed(ORDER), capture(ORDER.total), parcel("1", {"a": 3, "b": 2})]


def policies(text: str = "") -> Any:
    """Terms under which the hub pays."""
    sale = parse_terms(f'[[policy]]\nrefund_by = "hub"\n{text}')
    return msgspec.structs.replace(POLICIES, sale=sale)


def back(name: str, lines: dict[str, int], at: int = 20) -> GoodsReturned:
    """Goods received: line -> whole pieces."""
    told = tuple(
        ReturnedLine(one, much * 1000, disposition="restock") for one, much in lines.items()
    )
    place: dict[str, Any] = {"return_id": name, "version": version(at), "location": "wh"}
    return GoodsReturned(**about(at), **place, lines=told)


def made(command: SubmitDocument, number: str, at: int = 40) -> list[Fact]:
    """The channel's answer: the refund it made, and that it took the document."""
    document = command.refund
    assert document is not None
    paid = tuple(
        msgspec.structs.replace(one, reference=f"t-{number}-{n}", state="success")
        for n, one in enumerate(document.payments)
    )
    told: dict[str, Any] = {**about(at), "source": "hub", "id": f"{command.id}/made"}
    issued = RefundIssued(
        **told,
        refund=number,
        version="",
        currency="USD",
        lines=document.lines,
        adjustments=document.adjustments,
        payments=paid,
    )
    answer: dict[str, Any] = {**about(at), "source": "hub", "id": f"{command.id}/accepted"}
    accepted = DocumentAccepted(
        **answer,
        operation=command.id,
        kind="refund",
        remote_id=number,
        number=number,
        destination="web",
    )
    return [issued, accepted]


def webhook(command: SubmitDocument, number: str, at: int = 41) -> RefundIssued:
    """What the channel itself tells of the refund it made."""
    issued = made(command, number)[0]
    assert isinstance(issued, RefundIssued)
    fresh: dict[str, Any] = {**about(at), "version": version(at)}
    return msgspec.structs.replace(issued, **fresh)


def asked(model: Model) -> list[RefundDocument]:
    """Refunds the channel was asked for."""
    return [one.refund for one in model.documents("refund")]


def test_nobody_is_asked_where_the_channel_pays() -> None:
    model = Model().tell([*SENT, back("R1", {"a": 1})])
    assert asked(model) == []
    assert OrderTerms().refund_by == "channel"


def test_goods_that_came_back_are_paid_back_once() -> None:
    model = Model(policies()).tell([*SENT, back("R1", {"a": 1})])
    (document,) = asked(model)
    assert document.total == 1033
    assert [(one.line, one.quantity, one.net) for one in document.lines] == [("a", 1000, 1000)]
    model.tell([back("R1", {"a": 1})])
    model.tell(made(model.documents("refund")[0], "77"))
    assert model.state.refunded == {"visa": 1033}
    model.tell([webhook(model.documents("refund")[0], "77")])
    assert model.state.refunded == {"visa": 1033}
    assert len(asked(model)) == 1


def test_a_sale_and_its_full_return_leave_nothing() -> None:
    model = Model(policies()).tell([*SENT, back("R1", {"a": 2}), back("R2", {"a": 1, "b": 2}, 21)])
    for number in range(2):
        model.tell(made(model.documents("refund")[number], str(number)))
    assert model.state.refunded == {"visa": ORDER.total}
    assert {n: much for n, much in model.balances.items() if much} == {}
    assert {n: much for n, much in model.items.items() if much} == {}


def test_what_the_channel_refunds_itself_is_not_asked_for_again() -> None:
    own = refund("r1", [RefundLine("a", 1000, 1000, GOODS[0].taxes[:0], "return", "wh")])
    model = Model(policies()).tell([*SENT, own, back("R1", {"a": 1})])
    assert asked(model) == []


def test_never_more_than_is_left() -> None:
    goodwill = refund("r0", [RefundLine("a", 1000, 3000, (), "no_restock")])
    model = Model(policies()).tell([*SENT, goodwill, back("R1", {"a": 3, "b": 2})])
    assert sum(one.total for one in asked(model)) == ORDER.total - 3000


def test_a_person_allows_what_is_above_the_limit() -> None:
    model = Model(policies('refund_approval = { USD = "10.00" }'))
    model.tell([*SENT, back("R1", {"b": 1})])
    assert [one.total for one in asked(model)] == [300]
    model.tell(made(model.documents("refund")[0], "77"))
    model.tell([back("R2", {"a": 2}, 21)])
    assert model.notices == [APPROVAL]
    operation = "order/web/1/give_back/2"
    for amount in (2000, 2066):
        model.tell(
            [RefundApproved(**about(30 + amount), refund=operation, amount=amount, currency="USD")]
        )
    assert [one.total for one in asked(model)] == [300, 2066]
    assert model.settled == [APPROVAL]


def test_a_refusal_is_sent_again_and_never_asked_for_twice() -> None:
    model = Model(policies()).tell([*SENT, back("R1", {"a": 1})])
    (command,) = model.documents("refund")
    refused = DocumentRefused(
        **about(39), operation=command.id, kind="refund", destination="web", words="no"
    )
    model.tell([refused, back("R2", {"a": 1}, 22)])
    assert [one.total for one in asked(model)] == [1033]
    model.tell(made(command, "77"))
    assert [one.total for one in asked(model)] == [1033, 1033]
    model.tell(made(model.documents("refund")[1], "78"))
    assert model.state.refunded == {"visa": 2066}


def test_a_refund_that_failed_goes_out_again_when_a_person_says_so() -> None:
    model = Model(policies()).tell([*SENT, back("R1", {"a": 1})])
    model.tell(made(model.documents("refund")[0], "77"))
    failed = RefundFailed(
        **about(50), reference="t-77-0", tender="visa", amount=1033, currency="USD"
    )
    model.tell([failed])
    assert APPROVAL in model.notices
    assert model.state.refunded == {"visa": 0}
    again = "order/web/1/give_back/2"
    model.tell([RefundApproved(**about(51), refund=again, amount=1033, currency="USD")])
    assert [(one.total, one.lines) for one in asked(model)][1] == (1033, ())
    model.tell(made(model.documents("refund")[1], "78"))
    assert model.state.refunded == {"visa": 1033}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_answers_and_webhooks_in_any_order_end_the_same(data: st.DataObject) -> None:
    """Every document is answered once, and told by a webhook, whatever is heard first."""
    model = Model(policies())
    waiting: list[Fact] = [*SENT, back("R1", {"a": 1}), back("R2", {"a": 2, "b": 1}, 21)]
    waiting += [back("R3", {"b": 1}, 22), back("R1", {"a": 1})]
    seen = 0
    while waiting:
        place = data.draw(st.integers(0, len(waiting) - 1))
        model.tell([waiting.pop(place)])
        stored = msgspec.json.encode(model.state)
        model.state = msgspec.json.decode(stored, type=type(model.state))
        commands = model.documents("refund")
        for number in range(seen, len(commands)):
            waiting += [
                *made(commands[number], str(number)),
                webhook(commands[number], str(number)),
            ]
        seen = len(commands)
    assert sum(one.total for one in asked(model)) == ORDER.total
    assert model.state.refunded == {"visa": ORDER.total}
    assert {n: much for n, much in model.balances.items() if much} == {}
    assert {n: much for n, much in model.items.items() if much} == {}
