"""One run: a database of its own, the hub's processes, the outside, two phases, and the judges."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from tests.fire.simulation import actors, books, carts
from tests.fire.simulation.link import EXTRA, Links, SimConnection
from tests.fire.simulation.outside import TOKEN, TRADE_SECONDS, Dropping, Erp, Shop, ShopApi
from tests.fire.simulation.plan import Plan
from tests.fire.simulation.scheduler import Actor, Broken, Scheduler
from tests.places import quick_place
from tillbridge.app.hub import Hub
from tillbridge.app.pending import pending
from tillbridge.app.settings import FILE, load_workspace
from tillbridge.app.workspace import write
from tillbridge.atoms.ids import SeededIds
from tillbridge.connectors.sandbox.assortment import xref_rows
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.session import connect
from tillbridge.mapping.names import set_names

DAY = date(2041, 11, 13)
"""After the machine's own time, which stands on files."""
BEGIN = datetime(2041, 11, 13, 13, tzinfo=UTC)
TRADING_SECONDS = TRADE_SECONDS + 1800.0
CALM_SECONDS = 4 * 3600.0
"""Everything has to be done so long after the last fault (an hour's jump of a clock included)."""
ERP_URL = "https://erp.twin"
SHOP_URL = "https://shop.twin/admin/api/2026-10/graphql.json"


class Result(msgspec.Struct, kw_only=True):
    """What became of one seed; failures are empty when it held."""

    plan: Plan
    steps: int
    hours: float
    trace: str
    state: books.State
    counts: Counter[str]
    failures: list[str]

    @property
    def seed(self) -> int:
        """The plan's."""
        return self.plan.seed


def make_template(url: str) -> None:
    """Let a migrated database tell the virtual time wherever the hub's SQL asks for `now()`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create schema sim")
        connection.execute("create sequence sim.clock")
        connection.execute(
            "create function sim.now() returns timestamptz language sql stable as"
            " 'select to_timestamp(last_value / 1e6) from sim.clock'"
        )
        connection.execute("alter table stock add constraint poison check (on_hand < 1e12)")
        rows = connection.execute(
            "select table_name, column_name, column_default from information_schema.columns"
            " where table_schema = 'public' and column_default ~ '(now|clock_timestamp)\\(\\)'"
        ).fetchall()
        for table, column, told in rows:
            default = told.replace("clock_timestamp()", "now()").replace("now()", "sim.now()")
            text = f'alter table "{table}" alter column "{column}" set default {default}'
            connection.execute(text.encode())


@contextmanager
def database_of(server_url: str, template: str, seed: int) -> Iterator[str]:
    """A database for one run."""
    name = f"{template}_{os.getpid()}_{seed}"
    drop_database(server_url, name)
    yield create_database(server_url, name, template=template)
    drop_database(server_url, name)


class World:
    """Everything of one run."""

    def __init__(self, plan: Plan, url: str, folder: Path) -> None:
        self.plan = plan
        self.failures: list[str] = []
        self._parked: set[tuple[str, str]] = set()
        self._control = psycopg.connect(url, autocommit=True)
        self._own = connect(f"{url}{'&' if '?' in url else '?'}options={OPTIONS}")
        self.scheduler = Scheduler(plan, BEGIN, self._set_time)
        self._set_time(BEGIN)
        day = _day_of(plan)
        self.hub = shared_hub(folder, url, plan)
        self.links = Links(url, self._seen)
        clock = self.scheduler.add("time", _sleep, mortal=False)
        secrets = self.hub.workspace.secrets("erp")
        self.erp = Erp(clock, secrets["api_key"][0])
        self.shop = Shop(self.scheduler, day, self.hub.workspace.secrets("web")["webhook"][0])
        self.dropping = Dropping(self.scheduler, day, folder)
        self.dropping.poison(float(self.scheduler.dice.between(300, 3000)))
        self.buyers = carts.Buyers(self.scheduler, DAY)
        if plan.buyers:
            carts.stock(self.dropping, self.scheduler.dice.between(0, 800), DAY)
        api = ShopApi(self.scheduler, clock, day, TOKEN)
        self._far = {"erp.twin": self.erp.answer, "shop.twin": api.answer}
        self._open_books(day)
        self._people(day)

    def close(self) -> None:
        """End all."""
        self.scheduler.end()
        for link in list(self.links.open):
            link.cut()
        self._control.close()
        self._own.close()

    def play(self) -> Result:
        """Both phases and the judgement."""
        try:
            self._trade()
            self._calm()
            self._judge()
        except Broken as problem:
            self.failures.append(str(problem))
        state = books.state_of(self._own, self.erp)
        scheduler = self.scheduler
        return Result(
            plan=self.plan,
            steps=scheduler.steps,
            hours=scheduler.elapsed / 3600.0,
            trace=scheduler.trace(),
            state=state,
            counts=scheduler.counts,
            failures=self.failures,
        )

    # -- building ----------------------------------------------------------------------------------

    def _open_books(self, day: DayOfTrade) -> None:
        rows = [actors.late_name(row) for row in xref_rows()]
        rows += carts.NAMES if self.plan.buyers else ()
        set_names(self._own, [row for row in rows if row.theirs != day.late.theirs])
        self._own.commit()

    def _people(self, day: DayOfTrade) -> None:
        plan = self.plan
        processes = [self._process("files", actors.files)]
        processes += [self._process(f"flow {n}", actors.flow) for n in range(plan.runners)]
        for number in range(plan.intakes):
            processes.append(self._process(f"intake {number}", actors.intake(self.shop)))
        for number in range(plan.dispatchers):
            processes.append(self._process(f"erp {number}", actors.deliver("erp")))
        processes.append(self._process("web", actors.deliver("web")))
        processes.append(self._process("polls", actors.polls))
        for number in range(1 if plan == plan.clean else 2):
            processes.append(self._process(f"schedules {number}", actors.keep_schedules))
        if plan.buyers:
            processes.append(self._process("api", carts.counter(self.buyers)))
            processes.append(self._process("carts", carts.sweeper))
        month = ("us", f"{DAY.year}-{DAY.month:02d}") if plan.lock_month else None
        self.clerk = actors.Clerk(actors.late_name(day.late), lock=month)
        self._process("clerk", self.clerk, mortal=False)
        self._misfortunes(processes)

    def _process(self, name: str, body: actors.Process, *, mortal: bool = True) -> Actor:
        def live(actor: Actor) -> None:
            body(actor, actors.SimHub(self.hub, actor, self.links, self._far))

        actor = self.scheduler.add(name, live, mortal=mortal)
        actor.frozen = lambda seconds: self.links.frozen(actor, seconds)  # type: ignore[method-assign]

        def dead() -> None:
            self.links.cut_all(actor)
            self.shop.cut(actor)
            self.buyers.cut(actor)

        actor.on_death = dead
        return actor

    def _misfortunes(self, processes: list[Actor]) -> None:
        plan, scheduler = self.plan, self.scheduler
        for actor in processes:
            if plan.skew_seconds:
                actor.skew = float(scheduler.dice.between(-plan.skew_seconds, plan.skew_seconds))
        for _ in range(plan.jumps):
            at = float(scheduler.dice.between(60, int(TRADING_SECONDS)))
            scheduler.later(at, actors.jumping(processes))
        if plan.away:
            begin = float(scheduler.dice.between(60, int(TRADE_SECONDS)))
            scheduler.later(begin, lambda: self._erp_goes(away=True))
            scheduler.later(begin + plan.away * 3600, lambda: self._erp_goes(away=False))

    def _erp_goes(self, *, away: bool) -> None:
        self.erp.away = away
        self.scheduler.counts["fault: ERP away"] += away

    # -- playing -----------------------------------------------------------------------------------

    def _trade(self) -> None:
        """Phase one: faults; every committed state must be true."""
        scheduler, plan = self.scheduler, self.plan
        scheduler.faulty = plan != plan.clean
        for _ in range(3 if scheduler.faulty else 1):
            scheduler.run(TRADING_SECONDS / 3)
            self._safe()
        if not scheduler.faulty:
            scheduler.run(TRADING_SECONDS)
        if self.erp.away:
            scheduler.run(plan.away * 3600, lambda: not self.erp.away)
            self._safe()

    def _calm(self) -> None:
        """Phase two: no faults any more, clocks as they are; all must come to rest."""
        self.scheduler.faulty = False
        began = self.scheduler.elapsed
        if not self.scheduler.run(CALM_SECONDS, self._at_rest):
            self.failures.append(f"not at rest after {CALM_SECONDS / 3600:.0f} h: {self._left()}")
        self.scheduler.counts["virtual minutes to rest"] += int(
            (self.scheduler.elapsed - began) / 60
        )

    def _at_rest(self) -> bool:
        outside = self.shop.waiting + self.buyers.waiting + self.dropping.waiting
        if outside or not self.clerk.named:
            return False
        moving = pending(self._own).moving
        return not moving and not self._held() and not self._busy()

    def _held(self) -> list[tuple[Any, ...]]:
        """Leases, streams that failed and cases the clerk has still to look at."""
        rows = self._own.execute(
            "select 'lease', key from outkey where lease_until is not null"
            " union all select 'cart', key from hold where kind = 'soft' and ended = ''"
            " union all select 'stream', words from poll_cursor where failures > 0"
            " union all select reason, key from exception_case where state = 'open'"
            " and reason in ('document_refused', 'reread_refused', 'write_refused')"
        ).fetchall()
        self._own.rollback()
        return rows

    def _busy(self) -> list[str]:
        """Who has a transaction open."""
        return [link.actor.name for link in self.links.open if link.in_transaction]

    def _left(self) -> str:
        rows = self._own.execute("select key, due::text, unknown from outkey limit 3").fetchall()
        told = f"shop {self.shop.waiting}, buyers {self.buyers.waiting}"
        told += f", files {self.dropping.waiting}, keys {rows}"
        return f"{pending(self._own)}, {told}, {self._held()[:3]}, {self._busy()}"

    def _safe(self) -> None:
        self.failures += books.lies(self._own, quiesced=False)

    def _judge(self) -> None:
        self.failures += books.lies(self._own, quiesced=True)
        self.failures += books.unlike_erp(self._own, self.erp)
        self.failures += books.unlike_shop(self._own, self.shop)
        self.failures += self.buyers.unlike(self._own)
        self.scheduler.counts += carts.happened(self._own)
        self.scheduler.counts["an unknown outcome was looked up and found"] += self.erp.found

    # -- watching ----------------------------------------------------------------------------------

    def _seen(self, link: SimConnection, label: str, params: Any, cursor: Any) -> None:
        """Notices what the hub's statements say about rare things."""
        counts = self.scheduler.counts
        if label == "take_lanes":
            others = [
                one for one in self.links.open if one is not link and one.actor.name[:4] == "flow"
            ]
            counts["two runners contended for lanes"] += any(one.in_transaction for one in others)
        elif label == "park_records":
            places = set(zip(params[0], params[1], strict=True))
            counts["a record queued behind a parked key"] += bool(places & self._parked)
            self._parked |= places
        elif label in ("finish", "postpone") and cursor.rowcount < len(params[1]):
            counts["a zombie was fenced off"] += 1
        elif label == "why_not":  # its lease ran out under way: it sends no more
            found = cursor.fetchone()
            cursor.scroll(0, mode="absolute")
            counts["a zombie was fenced off"] += found is None or not found[1]
        elif label == "sweep" and cursor.rowcount > 0:
            counts["a lease ran out and became unknown"] += cursor.rowcount
        elif label == "breaker_open":
            counts["the breaker opened"] += 1
        elif label == "breaker_close" and cursor.rowcount > 0:
            counts["the breaker closed after a probe"] += 1

    def _set_time(self, now: datetime) -> None:
        stamp = int(now.timestamp() * 1e6)
        self._control.execute("select setval('sim.clock', %s)", (stamp,))


OPTIONS = EXTRA.replace(" ", "%20").replace("=", "%3D")


def _sleep(actor: Actor) -> None:
    while True:
        actor.rest(3600.0)


def shared_hub(folder: Path, url: str, plan: Plan) -> Hub:
    """The workspace of `tillbridge init` with a shop that can be asked, and the plan's budget."""
    write(folder, SeededIds(1))
    if plan.buyers:
        carts.furnish(folder)
    (folder / "secrets" / "web-token").write_text(TOKEN)
    path = folder / FILE
    text = path.read_text(encoding="utf-8")
    budget = f"{{ rate = {plan.rate}, burst = {plan.rate}, conc = {plan.concurrent} }}"
    for old, new in (
        (
            '# secrets.access_token = { env = "SHOPIFY_ADMIN_TOKEN" }\n# poll_seconds = 900',
            'secrets.access_token = { file = "secrets/web-token" }\npoll_seconds = 900',
        ),
        ("budget = { rate = 20.0, burst = 20.0, conc = 20 }", f"budget = {budget}"),
    ):
        if old not in text:
            raise LookupError(f"the template no longer says {old!r}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    reach: dict[str, dict[str, Any]] = {
        "erp": {"url": ERP_URL, "settle_seconds": 120.0},
        "web": {"endpoint": SHOP_URL},
    }
    return Hub(load_workspace(folder), url, overrides=reach)


def _day_of(plan: Plan) -> DayOfTrade:
    day = day_of_trade(plan.trade, plan.orders, DAY)
    if plan.orders >= 14:
        return day
    stores = {place: body for place, body in day.poslogs.items() if place != "store-bos"}
    return msgspec.structs.replace(day, poslogs=stores)


def day_told(plan: Plan) -> tuple[int, int, int]:
    """What plans have in common that are compared with the same clean telling."""
    return plan.trade, plan.orders, plan.buyers


def play(plan: Plan, server_url: str, template: str, clean: Result | None = None) -> Result:
    """A seed's run, compared with the clean telling of the same day (played if not given)."""
    result = told(plan, server_url, template)
    if plan == plan.clean:
        return result
    if clean is None:
        clean = told(plan.clean, server_url, template)
    if clean.failures:
        result.failures.append(f"the clean telling fails: {clean.failures}")
    if not result.failures:
        result.failures += books.differences(clean.state, result.state)
    return result


def told(plan: Plan, server_url: str, template: str) -> Result:
    """A run by itself."""
    folder = Path(tempfile.mkdtemp(prefix="tillbridge-simulation-", dir=quick_place()))
    try:
        with database_of(server_url, template, plan.seed) as url:
            world = World(plan, url, folder)
            try:
                return world.play()
            finally:
                world.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
