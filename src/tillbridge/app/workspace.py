"""`tillbridge init`: a fresh workspace that works at once."""

from __future__ import annotations

import importlib.resources
import shutil
from pathlib import Path

from tillbridge.app.sealed_secrets import FOLDER as SECRETS_FOLDER
from tillbridge.app.sealed_secrets import SealedSecrets
from tillbridge.app.settings import FILE, SettingsRefused
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.ids import Ids
from tillbridge.posting.money.book import FILES as RULE_FILES
from tillbridge.posting.money.book import default_text
from tillbridge.posting.stock.rules import FILE as AVAILABILITY_RULES
from tillbridge.posting.stock.rules import default_text as availability_text

TEMPLATES = {
    FILE: FILE,
    "feeds/stock.toml": "stock.toml",
    "rules/policies.toml": "policies.toml",
    "xref/example.csv": "xref.csv",
}
FOLDERS = ("drop/web", "drop/stores", "drop/feed", "archive", "rules", "feeds", "xref")
SECRETS = ("web-webhook", "erp-key")


def init(folder: Path, ids: Ids, clock: Clock | None = None) -> list[str]:
    """Make a workspace in a new or empty folder; gives the files made.

    Raises SettingsRefused when the folder holds anything; leaves nothing half made.
    """
    new = not folder.exists()
    if not new and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsRefused(f"{folder} is not empty; name a new or empty folder")
    try:
        return write(folder, ids, clock)
    except Exception:
        for path in [folder] if new else list(folder.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def write(folder: Path, ids: Ids, clock: Clock | None = None) -> list[str]:
    """Put the files of a fresh workspace, secrets sealed, into a folder; gives the files made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    made: list[str] = []
    templates = importlib.resources.files("tillbridge.app.workspace_template")
    for target, source in TEMPLATES.items():
        (folder / target).write_text(
            templates.joinpath(source).read_text(encoding="utf-8"), encoding="utf-8"
        )
        made.append(target)
    for name in RULE_FILES:
        (folder / "rules" / name).write_text(default_text(name), encoding="utf-8")
        made.append(f"rules/{name}")
    (folder / "rules" / AVAILABILITY_RULES).write_text(availability_text(), encoding="utf-8")
    made.append(f"rules/{AVAILABILITY_RULES}")
    sealed, now = SealedSecrets(folder), (clock or SystemClock()).now()
    for name in SECRETS:
        sealed.set(name, ids.random_hex(24), ids, now)
        made.append(f"{SECRETS_FOLDER}/{name}")
    (folder / ".gitignore").write_text("/secrets/\n/.tillbridge/\n/drop/\n/archive/\n")
    return [*made, ".gitignore"]
