"""Secrets at rest: one sealed file each below `secrets/`, and the keys that open them.

Envelope: a secret is sealed with AES-256-GCM under the workspace's data key, the data key under the
master key (`master_key`), which stands outside. What is sealed is bound to workspace, name, version
and key: a file put under another name, or of another workspace, does not open. Every change is
one rename of one file, so a process that dies half-way leaves what was there before.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tillbridge.app import master_key
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import Ids

FOLDER = "secrets"
KEYS = ".keys"
SEALED = b'{"sealed":'
SECRET_MOST = 64 * 1024
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class _Sealed(msgspec.Struct, frozen=True):
    """A secret's file. key: id of the data key that opens it."""

    sealed: int
    name: str
    version: int
    key: int
    set_at: datetime
    nonce: bytes
    body: bytes


class _DataKey(msgspec.Struct, frozen=True):
    """A data key, sealed. master: name of the master key that opens it."""

    id: int
    made_at: datetime
    master: str
    nonce: bytes
    body: bytes


class _Keys(msgspec.Struct, frozen=True):
    """The file `.keys`: data keys of a workspace, the newest last; several while they rotate."""

    workspace: str
    keys: tuple[_DataKey, ...]


class SecretNote(msgspec.Struct, frozen=True):
    """What may be told of a secret. sealed: False for a plain file; then nothing else is known."""

    name: str
    sealed: bool
    version: int = 0
    key: int = 0
    set_at: datetime | None = None


class SealedSecrets:
    """The sealed secrets of one workspace folder. Every method raises Refused in words that never
    hold a secret.
    """

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / FOLDER

    def read(self, name: str) -> str:
        """The value of a sealed secret."""
        while True:
            seen = self.stamp()
            try:
                return self._read(name)
            except Refused:
                if self.stamp() == seen:  # else the keys were replaced between two reads
                    raise

    def _read(self, name: str) -> str:
        sealed = self._sealed(name)
        keys = self._keys()
        known = {key.id: key for key in keys.keys}
        if sealed.key not in known:
            raise Refused(f"secret {name} is sealed with key {sealed.key}, which is gone")
        data_key = _data_key(keys.workspace, known[sealed.key])
        bound = _bound(keys.workspace, name, sealed.version, sealed.key)
        try:
            return AESGCM(data_key).decrypt(sealed.nonce, sealed.body, bound).decode()
        except (InvalidTag, ValueError):
            raise Refused(
                f"secret {name} does not open: its file was changed, renamed or taken from another "
                f"workspace; set it anew (tillbridge secrets set {name})"
            ) from None

    def set(self, name: str, value: str, ids: Ids, now: datetime) -> int:
        """Seal a value under a name, as the next version; gives the version."""
        if not _NAME.fullmatch(name):
            raise Refused(f"{name!r} is no name of a secret (letters, digits, dot, dash, _)")
        if not value or "\x00" in value or len(value.encode()) > SECRET_MOST:
            raise Refused(f"a secret has 1 to {SECRET_MOST} bytes and no NUL")
        with self._alone():
            keys = self._keys_or_new(ids, now)
            return self._put(keys.workspace, keys.keys[-1], name, value, ids, now)

    def notes(self) -> list[SecretNote]:
        """What is there, by name; plain files too."""
        if not self._folder.is_dir():
            return []
        found = []
        for path in sorted(self._folder.iterdir()):
            if not path.name.startswith(".") and path.is_file():
                found.append(self._note(path))
        return found

    def rotate(self, ids: Ids, now: datetime) -> int:
        """A new data key, every secret sealed under it, and a new master key unless it comes from
        the environment (then its first one). Gives how many were sealed; old keys open nothing.
        """
        with self._alone():
            old = self._keys()
            # Everything is opened first: a lost master key must not leave a new one behind.
            values = [(note, self._read(note.name)) for note in self.notes() if note.sealed]
            data_key = bytes.fromhex(ids.random_hex(master_key.KEY_BYTES))
            number = old.keys[-1].id + 1
            master = _sealing_key(ids)
            new = _wrapped(old.workspace, number, data_key, master, ids, now)
            self._write(KEYS, _Keys(old.workspace, (*old.keys, new)))
            for note, value in values:
                self._put(old.workspace, new, note.name, value, ids, now, note)
            self._write(KEYS, _Keys(old.workspace, (new,)))
            for name in {key.master for key in old.keys} - {master.name}:
                master_key.forget(name)
            return len(values)

    def import_plain(self, ids: Ids, now: datetime) -> list[str]:
        """Seal every plain file of the folder in its place; gives their names."""
        done = []
        for note in self.notes():
            if not note.sealed:
                value = (self._folder / note.name).read_text(encoding="utf-8").strip()
                self.set(note.name, value, ids, now)
                done.append(note.name)
        return done

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Changes whenever a secret or key does."""
        try:
            with os.scandir(self._folder) as entries:
                states = [(entry.name, entry.stat()) for entry in entries]
        except OSError:
            return ()
        return tuple(sorted((name, s.st_mtime_ns, s.st_ino) for name, s in states))

    def forget_master(self) -> None:
        """Remove the master key's own file, for a workspace that is being removed."""
        if (self._folder / KEYS).exists():
            for key in self._keys().keys:
                master_key.forget(key.master)

    def master_place(self) -> Path | None:
        """Where the master key's own file is, None when it comes from the environment."""
        return None if master_key.given() else master_key.place(self._keys().keys[-1].master)

    # -- files --------------------------------------------------------------------------------

    def _note(self, path: Path) -> SecretNote:
        if not is_sealed(path):
            return SecretNote(name=path.name, sealed=False)
        one = self._sealed(path.name)
        return SecretNote(path.name, True, one.version, one.key, one.set_at)

    def _sealed(self, name: str) -> _Sealed:
        try:
            return msgspec.json.decode((self._folder / name).read_bytes(), type=_Sealed)
        except OSError as problem:
            raise Refused(f"secret file {FOLDER}/{name}: {problem.strerror}") from None
        except msgspec.MsgspecError:
            raise Refused(f"secret file {FOLDER}/{name} is damaged; set it anew") from None

    def _keys(self) -> _Keys:
        path = self._folder / KEYS
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Keys)
        except OSError as problem:
            raise Refused(f"the keys of the secrets, {path}: {problem.strerror}") from None
        except msgspec.MsgspecError:
            raise Refused(f"the keys of the secrets, {path}, are damaged") from None

    def _keys_or_new(self, ids: Ids, now: datetime) -> _Keys:
        if (self._folder / KEYS).exists():
            return self._keys()
        workspace = ids.random_hex(16)
        data_key = bytes.fromhex(ids.random_hex(master_key.KEY_BYTES))
        keys = _Keys(workspace, (_wrapped(workspace, 1, data_key, _sealing_key(ids), ids, now),))
        self._write(KEYS, keys)
        return keys

    def _put(
        self,
        workspace: str,
        key: _DataKey,
        name: str,
        value: str,
        ids: Ids,
        now: datetime,
        again: SecretNote | None = None,
    ) -> int:
        """Seal and write; `again`: the same value under another key keeps version and date."""
        path = self._folder / name
        version = again.version if again else 1
        if again is None and path.exists() and is_sealed(path):
            version = self._sealed(name).version + 1
        nonce = bytes.fromhex(ids.random_hex(_NONCE_BYTES))
        bound = _bound(workspace, name, version, key.id)
        body = AESGCM(_data_key(workspace, key)).encrypt(nonce, value.encode(), bound)
        set_at = again.set_at if again and again.set_at else now
        self._write(name, _Sealed(1, name, version, key.id, set_at, nonce, body))
        return version

    def _write(self, name: str, content: _Sealed | _Keys) -> None:
        """Replace a file as a whole, durably."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._folder / f".{name}.new"
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(content) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def is_sealed(path: Path) -> bool:
    """Whether a file is a sealed secret, by its first bytes. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(SEALED)) == SEALED


def _bound(workspace: str, name: str, version: int, key: int) -> bytes:
    """What a sealed secret is bound to."""
    return msgspec.json.encode(["tillbridge secret", workspace, name, version, key])


def _sealing_key(ids: Ids) -> master_key.MasterKey:
    return next(iter(master_key.given()), None) or master_key.make(ids)


def _wrapped(
    workspace: str,
    number: int,
    data_key: bytes,
    master: master_key.MasterKey,
    ids: Ids,
    now: datetime,
) -> _DataKey:
    nonce = bytes.fromhex(ids.random_hex(_NONCE_BYTES))
    body = AESGCM(master.value).encrypt(nonce, data_key, _key_bound(workspace, number))
    return _DataKey(number, now, master.name, nonce, body)


def _data_key(workspace: str, wrapped: _DataKey) -> bytes:
    fitting = [key for key in master_key.given() if key.name == wrapped.master]
    master = fitting[0] if fitting else master_key.kept(wrapped.master)
    try:
        bound = _key_bound(workspace, wrapped.id)
        return AESGCM(master.value).decrypt(wrapped.nonce, wrapped.body, bound)
    except InvalidTag:
        raise Refused("the keys of the secrets were changed or belong elsewhere") from None


def _key_bound(workspace: str, number: int) -> bytes:
    return msgspec.json.encode(["tillbridge key", workspace, number])
