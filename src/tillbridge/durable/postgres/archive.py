"""Save a workspace's whole server as a physical copy with its WAL, and put one back.

A backup is a folder: `backup.json`, written last, and `cluster/` with what pg_basebackup made.
It holds everything the hub knows; keep it as closed as the database (it is made 0700).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg

from tillbridge.durable.postgres.binaries import find
from tillbridge.durable.postgres.cluster import Cluster
from tillbridge.durable.postgres.databases import database_name
from tillbridge.durable.postgres.errors import PostgresError
from tillbridge.durable.postgres.folder import ROLE, Folder, Lock
from tillbridge.durable.postgres.lease import (
    Report,
    database,
    external_url,
    leased,
    on_standard_error,
    stop,
)
from tillbridge.durable.postgres.manifest import Form, archives, verify
from tillbridge.durable.postgres.retell import tell_restored
from tillbridge.durable.postgres.settings import SIZES, as_lines
from tillbridge.durable.postgres.shell import without_password
from tillbridge.durable.postgres.supervisor import open_cluster
from tillbridge.durable.restore import Aftermath

HBA = "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"


class Note(msgspec.Struct, kw_only=True):
    """What `backup.json` says."""

    form: Form
    version: str
    """Version of the server that was saved."""
    database: str
    """The hub's database in it."""
    made_at: datetime
    """By the server's clock, UTC, when the copy was whole."""


@dataclass(frozen=True)
class Backup:
    """A finished backup."""

    path: Path
    form: Form
    version: str
    size: int
    """Bytes."""
    seconds: float
    files: int
    """Files checked against the manifest."""


@dataclass(frozen=True)
class Restored:
    """A finished restore."""

    data: Path
    kept: Path | None
    """Where the former cluster was put aside; remove it once you trust the new one."""
    aftermath: Aftermath | None
    """What the hub was told; None when another command came first and told it."""


def backup(
    workspace: Path | str,
    target: Path | str,
    *,
    form: Form = "tar",
    report: Report = on_standard_error,
) -> Backup:
    """Copy the running server, while it works, into the new or empty folder `target`.

    Raises PostgresError when the target is not empty, a program fails, or the copy is damaged.
    """
    place = Path(os.path.realpath(target))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise PostgresError(f"{place} is not an empty folder; name a new one")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    began = time.monotonic()
    with database(workspace, report=report) as url:
        _copy(url, place / "cluster", form)
        with psycopg.connect(url) as connection:
            row = connection.execute("select now(), current_setting('server_version')").fetchone()
    if row is None:
        raise PostgresError("The server told neither time nor version")
    files = verify(place / "cluster", form)
    note = Note(
        form=form,
        version=str(row[1]).split(" ", maxsplit=1)[0],
        database=database_name(url),
        made_at=row[0],
    )
    draft = place / ".backup.json"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(note)))
    draft.rename(place / "backup.json")
    return Backup(
        path=place,
        form=form,
        version=note.version,
        size=sum(file.stat().st_size for file in place.rglob("*") if file.is_file()),
        seconds=time.monotonic() - began,
        files=files,
    )


def _copy(url: str, place: Path, form: Form) -> None:
    address, environment = without_password(url)
    _run(
        [
            str(find().program("pg_basebackup")),
            f"--dbname={address}",
            f"--pgdata={place}",
            f"--format={form}",
            *(["--compress=client-gzip:1"] if form == "tar" else []),
            "--wal-method=stream",
            "--checkpoint=fast",
            "--manifest-checksums=SHA256",
            "--no-password",
        ],
        environment,
    )


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, umask=0o077
    )
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise PostgresError(f"{Path(command[0]).name} failed ({done.returncode}):\n{tail}")


def restore(
    workspace: Path | str,
    source: Path | str,
    *,
    force: bool = False,
    report: Report = on_standard_error,
) -> Restored:
    """Put a backup in the place of the workspace's cluster and tell the hub that it was restored.

    A workspace that has a cluster is refused without `force`; with it the running server is
    stopped and the former cluster put aside, not deleted. The backup is recovered and given this
    workspace's password before it takes the place: a damaged one changes nothing.
    """
    if external_url() is not None:
        raise PostgresError(
            "TILLBRIDGE_DATABASE_URL names a server that tillbridge does not run; restore it with "
            "its own tools, then mark it with durable.restore.after_restore"
        )
    note = read_note(Path(source))
    verify(Path(source) / "cluster", note.form)
    folder = Folder.of(workspace)
    folder.make()
    if force:
        stop(workspace, report=report)
    lock = Lock.at(folder, folder.supervisor_lock)
    try:
        if not lock.try_exclusive():
            raise PostgresError(
                "The workspace's server is running; stop it (tillbridge db stop) or use --force"
            )
        data, kept = _replace(folder, Path(source), note, force=force, report=report)
    finally:
        lock.close()
    with leased(folder, report=report) as url:
        done = tell_restored(folder, url)
    return Restored(data, kept, done)


def read_note(source: Path) -> Note:
    """What a backup says about itself; raises PostgresError when it is none or not finished."""
    try:
        return msgspec.json.decode((source / "backup.json").read_bytes(), type=Note)
    except (OSError, msgspec.MsgspecError) as error:
        raise PostgresError(f"{source} is not a finished backup of tillbridge: {error}") from error


def _replace(
    folder: Folder, source: Path, note: Note, *, force: bool, report: Report
) -> tuple[Path, Path | None]:
    """The restore itself, under the supervisor's lock: data folder, and where the old one went."""
    cluster, record = open_cluster(folder, major=int(note.version.split(".")[0]))
    if cluster.exists() and not force:
        raise PostgresError(
            f"{cluster.data} holds a database; restore into an empty workspace or use --force"
        )
    if cluster.data.exists() and cluster.servers():
        raise PostgresError(f"A server still works in {cluster.data}; try again when it is down")
    draft = cluster.draft()
    try:
        _unpack(source / "cluster", note.form, draft)
        report("recovering the backup")
        _take_possession(draft, folder.password())
    except BaseException:
        shutil.rmtree(draft.data, ignore_errors=True)
        raise
    kept = None
    if cluster.data.exists():
        kept = cluster.data.with_name("data.before-restore")
        shutil.rmtree(kept, ignore_errors=True)
        cluster.data.rename(kept)
    # Before the new cluster is in place: whoever starts it next must first tell it.
    record.hook_due = True
    record.database = note.database
    folder.write_record(record)
    cluster.adopt(draft)
    return cluster.data, kept


def _unpack(saved: Path, form: Form, draft: Cluster) -> None:
    """Put the files of a backup into the draft's folder and give them to the account."""
    if form == "plain":
        shutil.copytree(saved, draft.data, dirs_exist_ok=True, symlinks=True)
    else:
        found = archives(saved)
        if set(found) != {"base", "pg_wal"}:
            raise PostgresError(
                f"{saved} holds {', '.join(sorted(found))}: a backup with "
                "tablespaces, or an incomplete one, cannot be restored here"
            )
        for name, place in (("base", draft.data), ("pg_wal", draft.data / "pg_wal")):
            with tarfile.open(found[name]) as archive:
                archive.extractall(place, filter="data")
    for name in ("backup_manifest", "postmaster.pid", "postmaster.opts"):
        (draft.data / name).unlink(missing_ok=True)
    # A server elsewhere may have let people in by trust, or kept its settings outside.
    (draft.data / "pg_hba.conf").write_text(HBA)
    if not (draft.data / "postgresql.conf").exists():
        (draft.data / "postgresql.conf").write_text(as_lines(SIZES))
    for parent, folders, files in os.walk(draft.data):
        for name in folders:
            (Path(parent) / name).chmod(0o700)
            draft.own(Path(parent) / name)
        for name in files:
            (Path(parent) / name).chmod(0o600)
            draft.own(Path(parent) / name)
    draft.data.chmod(0o700)


def _take_possession(draft: Cluster, password: str) -> None:
    """Recover the copy and give our role this workspace's password; made of safe letters only."""
    # One line and no caught error: a single-user server ends at the first error it meets.
    make_role = (
        f"do $$ begin if not exists (select from pg_roles where rolname = '{ROLE}') then "
        f"create role {ROLE}; end if; end $$"
    )
    draft.single_user(
        [make_role, f"alter role {ROLE} superuser login password '{password}'"],
    )
