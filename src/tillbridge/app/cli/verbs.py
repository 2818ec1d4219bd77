"""Every verb of the command line and the action it takes (triage.rights); deny by default.

A verb that is missing here is refused, and a test says so before that. OPEN verbs reach no data of
the hub, or there is no database yet that could say who may.
"""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "approvals approve": "approvals.decide",
    "approvals list": "look",
    "approvals policy": "approvals.policy",
    "approvals reject": "approvals.decide",
    "approvals show": "look",
    "audit digest": "look.audit",
    "audit list": "look.audit",
    "audit verify": "look.audit",
    "cases cancel": "cases.decide",
    "cases list": "look",
    "cases plan": "look",
    "cases plans": "look",
    "cases replay": "cases.decide",
    "cases resolve": "cases.decide",
    "cases show": "look",
    "db psql": "database.open",
    "db backup": "database.save",
    "db replay-log": "hub.run",
    "drain": "hub.run",
    "ingest": "data.take_in",
    "keys list": "look",
    "keys make": "keys.own",
    "keys revoke": "keys.own",
    "ledger balance": "look",
    "ledger export": "look",
    "ledger journal": "look",
    "operators add": "operators.manage",
    "operators list": "look.audit",
    "operators revoke": "operators.manage",
    "periods list": "look",
    "periods lock": "periods.close",
    "periods unlock": "periods.close",
    "rules activate": "rules.activate",
    "secrets import": "secrets.set",
    "secrets list": "look.raw",
    "secrets rotate-key": "secrets.set",
    "secrets set": "secrets.set",
    "status": "look",
    "stock show": "look",
    "stores": "look",
    "story": "look",
    "up": "hub.run",
    "api": "hub.run",
    "worker": "hub.run",
    "sweep": "data.take_in",
    "verify": "look",
    "xref import": "names.set",
    "xref list": "look",
    "xref set": "names.set",
}

OPEN: Mapping[str, str] = {
    "init": "makes the workspace",
    "demo": "plays in a workspace of its own",
    "bench": "measures on a scratch database",
    "schema": "shows the program's own types",
    "rules test": "reads files",
    "rules list": "reads files",
    "xref propose": "reads files",
    "db restore": "what is there may be broken; the restored database records it",
    "db start": "the server is that of whoever owns the folder",
    "db stop": "the server is that of whoever owns the folder",
    "db status": "the server is that of whoever owns the folder",
}
