"""Writes the folder of a new connector from the templates beside this module.

The skeleton is typed and free of lint (`make connector` lays it out), signs three promises and
raises NeedsDecision where its author has to write, so that the conformance suite is red there and
nowhere else.
"""

import hashlib
import hmac
import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME_MAX = 24
# The body in templates/__samples__told.webhook.json.tmpl, as bytes.
_WEBHOOK_BODY = b'{"id": "1001"}'
_SUFFIX = ".tmpl"


class NameRefused(ValueError):
    """The name cannot be a connector's name, or is taken."""


def write_connector(name: str, connectors: Path) -> list[Path]:
    """Write connectors/<name>/ and give back the files, in order; raises NameRefused.

    Nothing that is there is ever written over.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _NAME_MAX:
        raise NameRefused(
            f"{name!r} is no name for a package; write it as in acme_pos, at most 24 letters"
        )
    folder = connectors / name
    if folder.exists():
        raise NameRefused(f"there is a connector {name!r} already")
    title = name.replace("_", " ").title()
    words = {"name": name, "title": title, "camel": title.replace(" ", "")}
    words |= {"header": name.replace("_", "-")}
    words |= {f"signed_{secret}": _signed(secret) for secret in ("one", "two")}
    written = []
    for place, text in _templates():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(path)
    return written


def _signed(secret: str) -> str:
    """Signature of the skeleton's webhook sample, as its webhooks.py checks it."""
    return hmac.new(secret.encode(), _WEBHOOK_BODY, hashlib.sha256).hexdigest()


def _templates() -> list[tuple[str, str]]:
    """Where each file goes inside the connector's folder, and its template."""
    folder = resources.files("tillbridge.app.scaffold") / "templates"
    found = [
        (entry.name.removesuffix(_SUFFIX).replace("__samples__", "samples/"), entry)
        for entry in folder.iterdir()
        if entry.name.endswith(_SUFFIX)
    ]
    return [(place, entry.read_text(encoding="utf-8")) for place, entry in sorted(found)]
