"""The master key: 32 bytes that open a workspace's secrets and never stand in the workspace.

It comes from the environment (TILLBRIDGE_MASTER_KEY holds it, or TILLBRIDGE_MASTER_KEY_FILE names a
file with it: containers, secret managers); else it is a file of its own below the configuration
folder of the person who made the workspace (~/.config/tillbridge/keys, mode 0600). From the
environment several may come, separated by blanks: the first seals, all of them open. That is how
one is replaced.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import Ids

KEY_BYTES = 32
VARIABLE = "TILLBRIDGE_MASTER_KEY"
FILE_VARIABLE = "TILLBRIDGE_MASTER_KEY_FILE"


class MasterKey:
    """A master key; its name tells which one it is and nothing about it."""

    __slots__ = ("name", "value")

    def __init__(self, value: bytes) -> None:
        self.value = value
        self.name = hashlib.sha256(b"tillbridge master key " + value).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"MasterKey({self.name})"


def given() -> list[MasterKey]:
    """The keys of the environment, [] when it names none. Raises Refused, never with the key."""
    text = os.environ.get(VARIABLE, "")
    if text:
        return _parsed(text, VARIABLE)
    file = os.environ.get(FILE_VARIABLE, "")
    if not file:
        return []
    try:
        return _parsed(Path(file).read_text(encoding="ascii", errors="replace"), FILE_VARIABLE)
    except OSError as problem:
        raise Refused(f"{FILE_VARIABLE} names {file}: {problem.strerror}") from None


def kept(name: str) -> MasterKey:
    """The key of that name as its own file. Raises Refused with where it was looked for."""
    path = place(name)
    try:
        (key,) = _parsed(path.read_text(encoding="ascii", errors="replace"), str(path))
    except (OSError, ValueError):
        raise Refused(
            f"the master key {name} of this workspace is not here: looked for {VARIABLE}, "
            f"{FILE_VARIABLE} and {path}"
        ) from None
    return key


def make(ids: Ids) -> MasterKey:
    """A new key in a file of its own that only its owner can read. Raises Refused."""
    key = MasterKey(bytes.fromhex(ids.random_hex(KEY_BYTES)))
    path = place(key.name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key.value.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return kept(key.name)  # only a seeded source of chance gives one twice
    except OSError as problem:
        raise Refused(
            f"the master key cannot be kept in {path} ({problem.strerror}): give one in {VARIABLE} "
            f"({KEY_BYTES} random bytes as hex) or a file of it in {FILE_VARIABLE}"
        ) from None
    return key


def forget(name: str) -> None:
    """Remove a key's own file; what it sealed is gone for good."""
    place(name).unlink(missing_ok=True)


def place(name: str) -> Path:
    """Where a key of its own file stands. Raises Refused when this account has no home."""
    config = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        folder = Path(config) if config else Path.home() / ".config"
    except RuntimeError:
        raise Refused(f"this account has no home folder: give the key in {VARIABLE}") from None
    return folder / "tillbridge" / "keys" / f"{name}.key"


def _parsed(text: str, where: str) -> list[MasterKey]:
    keys = []
    for word in text.split():
        try:
            value = bytes.fromhex(word)
        except ValueError:
            value = b""
        if len(value) != KEY_BYTES:
            raise Refused(f"{where} holds no key: {KEY_BYTES} bytes as {2 * KEY_BYTES} hex digits")
        keys.append(MasterKey(value))
    if not keys:
        raise Refused(f"{where} is empty: {KEY_BYTES} bytes as {2 * KEY_BYTES} hex digits")
    return keys
