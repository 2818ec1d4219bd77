"""`tillbridge init`: a fresh workspace that works at once."""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path

from tillbridge.app.settings import FILE, SettingsRefused
from tillbridge.atoms.ids import Ids
from tillbridge.posting.money.book import FILES as RULE_FILES
from tillbridge.posting.money.book import default_text

TEMPLATES = {FILE: FILE, "feeds/stock.toml": "stock.toml", "xref/example.csv": "xref.csv"}
FOLDERS = ("drop/web", "drop/stores", "drop/feed", "archive", "rules", "feeds", "xref")
SECRETS = ("web-webhook", "erp-key")


def init(folder: Path, ids: Ids) -> list[str]:
    """Make a workspace in a new or empty folder; gives the files made.

    Raises SettingsRefused when the folder holds anything.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsRefused(f"{folder} is not empty; name a new or empty folder")
    return write(folder, ids)


def write(folder: Path, ids: Ids) -> list[str]:
    """Put the files of a fresh workspace into a folder; gives the files made."""
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
    made += [_secret(folder, name, ids) for name in SECRETS]
    (folder / ".gitignore").write_text("/secrets/\n/.tillbridge/\n/drop/\n/archive/\n")
    return [*made, ".gitignore"]


def _secret(folder: Path, name: str, ids: Ids) -> str:
    """A random secret in a file only its owner can read."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    path = secrets / name
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(ids.random_hex(24) + "\n")
    return f"secrets/{name}"
