"""The sandbox ERP: a simulator of an ERP's document API over real HTTP, with its rules and limits.

    POST /api/v1/documents        one document            201, 422 refused, 409 (unique ids only)
    POST /api/v1/documents/batch  {"documents": [...]}    200 {"results": [{"status", ...}]}
    GET  /api/v1/documents        ?external_id=a&external_id=b, or ?after=0&limit=100&kind=invoice
    GET  /api/v1/documents/N      the body of number N as it came in
    GET  /api/v1/moves/N          lines of ledger move N
    GET  /api/v1/status           name and time of the ERP
    GET, POST, DELETE /control/faults   the fault script (erp_faults.Fault)
    GET, PUT /control/rules             erp_documents.Rules
    GET  /control/requests              the request log

Every call carries `Authorization: Bearer <key>`, else 401. Control calls are never limited, faulted
or logged. A second create with the same external id makes a second document, unless the rules say
otherwise. What is told of a sales order keeps the rules of erp_orders.py. Started alone it prints
its address:

    python -m tillbridge.connectors.sandbox.erp_simulator --port 0 --store erp.sqlite --key k
"""

from __future__ import annotations

import argparse
import hmac
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import msgspec

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.money import to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.connectors.sandbox.erp_documents import (
    OF_ORDERS,
    Incoming,
    Ready,
    Refusal,
    Rules,
    examine,
)
from tillbridge.connectors.sandbox.erp_faults import (
    Fault,
    FaultKind,
    FaultScript,
    TokenBucket,
    suffered,
)
from tillbridge.connectors.sandbox.erp_orders import keep_order
from tillbridge.connectors.sandbox.erp_store import ErpStore, Logged, Stored
from tillbridge.connectors.sandbox.loopback import Answer, Call, LoopbackServer, json_answer

STOCK_PAGE = 200
LEDGER_PAGE = 500


class Batch(msgspec.Struct, frozen=True):
    """The envelope of a batch create."""

    documents: list[Incoming]


class ErpSimulator:
    """The server with its books; `start()` gives the address, `stop()` is as a killed process."""

    def __init__(
        self, store: Path | str, key: str, *, port: int = 0, rules: Rules | None = None,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        """store: the SQLite file. key: bearer key. rules: None = those stored, or the defaults."""
        self.store = ErpStore(store)
        self.faults = FaultScript()
        self._key = key
        self._clock = clock or SystemClock()
        self._stopping = threading.Event()
        self._writing = threading.Lock()  # look at the books and write them as one step
        self._server = LoopbackServer(self._answer, port)
        self.set_rules(rules or self.store.rules() or Rules())

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`."""
        return self._server.address

    def start(self) -> str:
        """Begin to answer; gives the address."""
        self._stopping.clear()
        return self._server.start()

    def stop(self) -> None:
        """Go away: connections are cut, hanging calls end. The books stay open for reading."""
        self._stopping.set()
        self._server.stop()

    def close(self) -> None:
        """Stop and close the books."""
        self.stop()
        self.store.close()

    def set_rules(self, rules: Rules) -> None:
        """Enforce other rules from now on; they survive a restart."""
        self.store.keep_rules(rules)
        self.rules = rules
        self._bucket = TokenBucket(self._clock, rules.requests_per_second, rules.burst)
        self._door = threading.BoundedSemaphore(rules.concurrent)

    def _answer(self, call: Call) -> Answer:
        given = call.headers.get("authorization", "").encode()
        known = hmac.compare_digest(given, f"Bearer {self._key}".encode())
        if call.path.startswith("/control/"):
            return self._control(call) if known else _unknown_key()
        answer, fault, ids = self._limited(call) if known else (_unknown_key(), "", ())
        logged = Logged(
            at=self._now(), method=call.method, path=call.path, status=answer.status,
            fault=fault, external_ids=tuple(ids),
        )  # fmt: skip
        self.store.log(logged)
        return answer

    def _limited(self, call: Call) -> tuple[Answer, str, Sequence[str]]:
        """The answer behind the door and the bucket, with the fault that hit and the ids named."""
        door = self._door
        if not door.acquire(blocking=False):
            return _busy("too many calls at once", 1.0), "", ()
        try:
            wait = self._bucket.take()
            if wait:
                return _throttled(wait), "", ()
            if self.rules.latency_seconds:
                self._stopping.wait(self.rules.latency_seconds)
            return self._api(call)
        finally:
            door.release()

    def _api(self, call: Call) -> tuple[Answer, str, Sequence[str]]:
        if call.method == "POST" and call.path == "/api/v1/documents":
            return self._create(call, self._single)
        if call.method == "POST" and call.path == "/api/v1/documents/batch":
            return self._create(call, self._batch)
        fault = self.faults.draw("read")
        ids = call.query.get("external_id", [])
        return self._suffered(fault, lambda: self._read(call), ids), fault.do if fault else "", ids

    def _create(
        self, call: Call, apply: Callable[[list[Incoming]], Answer]
    ) -> tuple[Answer, str, Sequence[str]]:
        fault = self.faults.draw("create")
        try:
            if apply == self._single:
                documents = [msgspec.json.decode(call.body, type=Incoming)]
            else:
                documents = msgspec.json.decode(call.body, type=Batch).documents
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            return _refused(400, "shape", f"the body cannot be read: {problem}"), "", ()
        ids = [document.external_id for document in documents]
        answer = self._suffered(fault, lambda: apply(documents), ids)
        return answer, fault.do if fault else "", ids

    def _suffered(
        self, fault: Fault | None, apply: Callable[[], Answer], ids: Sequence[str]
    ) -> Answer:
        """The answer as the fault makes it, in the ERP's words."""
        if fault is None:
            return apply()
        refusals: dict[FaultKind, Callable[[], Answer]] = {
            "refuse": lambda: _all_refused(fault.words, ids),
            "error": lambda: json_answer(500, {"error": {"code": "internal", "words": "sorry"}}),
            "throttle": lambda: _throttled(fault.seconds),
            "busy": lambda: _busy("down for a moment", fault.seconds),
        }
        return suffered(fault, refusals, apply, self._stopping)

    def _single(self, documents: list[Incoming]) -> Answer:
        result = self._apply(documents)[0]
        status = int(str(result["status"]))
        body = {name: value for name, value in result.items() if name != "status"}
        return json_answer(status, body)

    def _batch(self, documents: list[Incoming]) -> Answer:
        if not 1 <= len(documents) <= self.rules.batch_max:
            return _refused(400, "batch", f"a batch holds 1 to {self.rules.batch_max} documents")
        return json_answer(200, {"results": self._apply(documents)})

    def _apply(self, documents: list[Incoming]) -> list[dict[str, object]]:
        """One result per document; what is refused does not sink the others."""
        with self._writing:
            return self._apply_alone(documents)

    def _apply_alone(self, documents: list[Incoming]) -> list[dict[str, object]]:
        outcomes: list[Ready | Refusal | Stored] = []
        for document in documents:
            try:
                outcomes.append(self._examine(document))
            except Refusal as refusal:
                outcomes.append(refusal)
        ready = [outcome for outcome in outcomes if isinstance(outcome, Ready)]
        stored = iter(self.store.add(ready, self._now()))
        return [
            _result(201, next(stored)) if isinstance(outcome, Ready) else _not_applied(outcome)
            for outcome in outcomes
        ]

    def _examine(self, document: Incoming) -> Ready | Stored:
        if self.rules.unique_external_ids:
            there = self.store.find([document.external_id])
            if there:
                return there[0]
        order = document.order_external_id
        needs = self.rules.require_orders or document.kind in OF_ORDERS
        if needs and order and not self.store.find([order]):
            raise Refusal("order_unknown", f"sales order {order} is unknown")
        if order and document.kind in OF_ORDERS:
            keep_order(document, self.store.bodies_about(order))
        return examine(document, self.rules)

    def _read(self, call: Call) -> Answer:
        """The reading half of the API."""
        path = call.path.removeprefix("/api/v1/")
        try:
            if path == "status":
                return json_answer(200, {"name": "Sandbox ERP", "at": self._now()})
            if path == "documents":
                return json_answer(200, {"documents": [_shown(d) for d in self._listed(call)]})
            if path in ("stock", "ledger"):
                told = self._stock(call) if path == "stock" else self._ledger(call)
                return json_answer(200, told)
            if path.startswith("documents/"):
                body = self.store.body(path.removeprefix("documents/"))
                headers = {"Content-Type": "application/json"}
                return Answer(status=200, body=body, headers=headers)
            if path.startswith("moves/"):
                return json_answer(200, {"lines": self.store.move(path.removeprefix("moves/"))})
        except KeyError:
            return _refused(404, "missing", f"there is no {path}")
        except ValueError as problem:
            return _refused(400, "query", str(problem))
        return _refused(404, "path", f"there is no {call.method} {call.path}")

    def _listed(self, call: Call) -> list[Stored]:
        if "external_id" in call.query:
            return self.store.find(call.query["external_id"])
        after = int(call.query.get("after", ["0"])[0])
        limit = min(int(call.query.get("limit", ["100"])[0]), 500)
        return self.store.page(after, limit, call.query.get("kind", [""])[0])

    def _stock(self, call: Call) -> dict[str, object]:
        """What is at a location, products behind `after`, with the instant it is of."""
        location, after = call.query["location"][0], call.query.get("after", [""])[0]
        found = self.store.stock(location, after, STOCK_PAGE)
        held = [{"product": name, "quantity": quantity_text(q)} for name, q in found]
        return {"at": self._now(), "held": held, "more": len(found) == STOCK_PAGE}

    def _ledger(self, call: Call) -> dict[str, object]:
        """What a company posted on some days, moves of documents behind `after`."""
        company, first, last, after = (
            call.query[name][0] for name in ("company", "from", "to", "after")
        )
        found = self.store.moves(company, first, last, int(after or 0), LEDGER_PAGE)
        moves = [
            {
                "document": number,
                "move": move,
                "external_id": external_id,
                "date": day,
                "currency": currency,
                "lines": [
                    {"account": one.account, "amount": to_text(one.amount, currency)}
                    for one in lines
                ],
            }
            for number, move, external_id, day, currency, lines in found
        ]
        return {"moves": moves, "more": len(found) == LEDGER_PAGE}

    def _control(self, call: Call) -> Answer:
        """The hand of a test or a demo: script, rules, log."""
        try:
            if call.path == "/control/faults":
                if call.method == "POST":
                    for fault in msgspec.json.decode(call.body, type=list[Fault]):
                        self.faults.add(fault)
                elif call.method == "DELETE":
                    self.faults.clear()
                return json_answer(200, {"faults": self.faults.pending()})
            if call.path == "/control/rules":
                if call.method == "PUT":
                    self.set_rules(msgspec.json.decode(call.body, type=Rules))
                return json_answer(200, self.rules)
            if call.path == "/control/requests":
                return json_answer(200, {"requests": self.store.calls()})
        except msgspec.DecodeError as problem:
            return _refused(400, "shape", str(problem))
        return _refused(404, "path", f"there is no {call.method} {call.path}")

    def _now(self) -> str:
        return self._clock.now().isoformat()


def _shown(document: Stored) -> dict[str, object]:
    """A stored document in the API's words."""
    shown: dict[str, object] = {
        "id": str(document.id),
        "kind": document.kind,
        "number": document.number,
        "external_id": document.external_id,
        "currency": document.currency,
        "total": to_text(document.total, document.currency),
    }
    if document.move:
        shown["move"] = document.move
        shown["move_total"] = to_text(document.move_total, document.currency)
    return shown


def _result(status: int, document: Stored) -> dict[str, object]:
    return {"status": status, "document": _shown(document)}


def _not_applied(outcome: Ready | Refusal | Stored) -> dict[str, object]:
    if isinstance(outcome, Stored):
        return _result(409, outcome)
    refusal = outcome if isinstance(outcome, Refusal) else Refusal("internal", "not applied")
    return {"status": 422, "error": {"code": refusal.code, "words": refusal.words}}


def _all_refused(words: str, ids: Sequence[str]) -> Answer:
    error = {"code": "scripted", "words": words}
    if len(ids) == 1:
        return json_answer(422, {"error": error})
    return json_answer(200, {"results": [{"status": 422, "error": error} for _ in ids]})


def _refused(status: int, code: str, words: str) -> Answer:
    return json_answer(status, {"error": {"code": code, "words": words}})


def _unknown_key() -> Answer:
    return _refused(401, "key", "the key is missing or wrong")


def _throttled(seconds: float) -> Answer:
    error = {"error": {"code": "throttled", "words": "too many calls per second"}}
    return json_answer(429, error, {"Retry-After": f"{seconds:.3f}"})


def _busy(words: str, seconds: float) -> Answer:
    return json_answer(
        503, {"error": {"code": "busy", "words": words}}, {"Retry-After": f"{seconds:.3f}"}
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; with --with-parent also until the parent process is gone."""
    parser = argparse.ArgumentParser(description="Simulator of an ERP's document API.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--store", required=True, help="SQLite file of the books")
    parser.add_argument("--key", required=True, help="bearer key it accepts")
    parser.add_argument("--rules", help="file with rules as JSON")
    parser.add_argument("--with-parent", action="store_true", help="end with the parent process")
    chosen = parser.parse_args(arguments)
    rules = None
    if chosen.rules:
        rules = msgspec.json.decode(Path(chosen.rules).read_bytes(), type=Rules)
    simulator = ErpSimulator(chosen.store, chosen.key, port=chosen.port, rules=rules)
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    parent = os.getppid()
    sys.stdout.write(simulator.start() + "\n")
    sys.stdout.flush()
    while not ended.wait(0.5):
        if chosen.with_parent and os.getppid() != parent:
            break
    simulator.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
