"""The operating system account the server runs under, and places that account can reach.

PostgreSQL refuses to run as root. Started by root it is dropped to `postgres`, else to `nobody`;
no account is made. Where that account cannot enter the workspace or the installed programs (they
lie below a folder only root may enter), data and a copy of the programs go to a folder of ours
that it can reach. The mode of a folder that is not ours is never changed.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tillbridge.durable.postgres.binaries import Binaries, clean_environment
from tillbridge.durable.postgres.errors import PostgresError

HOME_VARIABLE = "TILLBRIDGE_POSTGRES_HOME"
"""Names the folder to use instead of /var/lib/tillbridge when root's workspace is closed."""


class SpawnOptions(TypedDict, total=False):
    """What `subprocess` needs to become the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who the server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def dropped(self) -> bool:
        """True when it is not the one we run as."""
        return self.uid != os.geteuid()

    def spawn_options(self) -> SpawnOptions:
        """Keyword arguments for subprocess; groups are given up with root."""
        if not self.dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """True when the account can reach and enter `folder`, asked of the kernel itself."""
        if not self.dropped:
            return os.access(folder, os.X_OK)
        answer = subprocess.run(
            ["/bin/sh", "-c", '[ -x "$1" ]', "sh", str(folder)],
            check=False,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=clean_environment(),
            **self.spawn_options(),
        )
        return answer.returncode == 0

    def can_run(self, program: Path) -> bool:
        """True when the account can start `program`, tried for real."""
        try:
            answer = subprocess.run(
                [program, "--version"],
                check=False,
                capture_output=True,
                cwd="/",
                env=clean_environment(),
                **self.spawn_options(),
            )
        except PermissionError:
            return False
        return answer.returncode == 0


def server_account(data: Path | None) -> Account:
    """The account for a cluster: the owner of existing data, else ourselves, else for root
    `postgres` or `nobody`. Raises PostgresError when that cannot be.
    """
    we = os.geteuid()
    owner = data.stat().st_uid if data is not None and data.exists() else None
    if owner == 0 or (owner is not None and we not in (0, owner)):
        raise PostgresError(
            f"{data} belongs to user id {owner}; run as that user"
            + ("" if owner else " is not possible with root: give it to an ordinary user")
        )
    if we != 0 or owner is not None:
        return _entry(we if owner is None else owner)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_name, found.pw_uid, found.pw_gid)
    raise PostgresError(
        "PostgreSQL does not run as root and there is neither an account `postgres` nor `nobody`; "
        "run as an ordinary user, or set TILLBRIDGE_DATABASE_URL"
    )


def _entry(uid: int) -> Account:
    try:
        found = pwd.getpwuid(uid)
    except KeyError as error:
        raise PostgresError(
            f"User id {uid} has no line in /etc/passwd, which PostgreSQL needs; add one, or set "
            "TILLBRIDGE_DATABASE_URL to a server you run"
        ) from error
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def safe_folder(path: Path) -> Path:
    """Make `path` as a folder of ours (0711), or accept one that provably is.

    Accepted: a real folder, not a symlink, owned by us, writable by nobody else. Anything else
    may have been planted in a folder that others can write; raises PostgresError.
    """
    try:
        path.mkdir(mode=0o711)
        path.chmod(0o711)
    except FileExistsError:
        pass
    seen = path.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o022:
        raise PostgresError(
            f"{path} is not a folder of ours alone (a symlink, another owner, or writable by "
            f"others); remove it, or name another place in {HOME_VARIABLE}"
        )
    return path


def reachable_home(account: Account) -> Path:
    """A folder of ours outside the workspace that the account can enter."""
    named = os.environ.get(HOME_VARIABLE)
    places = [named] if named else ["/var/lib/tillbridge", f"/var/tmp/tillbridge-{os.geteuid()}"]
    refusals: list[str] = []
    for place in places:
        try:
            home = safe_folder(Path(place))
        except (OSError, PostgresError) as error:
            refusals.append(str(error))
            continue
        if account.can_enter(home):
            return home
        refusals.append(f"{home} lies where {account.name} cannot enter")
    raise PostgresError(
        f"No folder was found that the account {account.name} can reach: {'; '.join(refusals)}. "
        f"Name one in {HOME_VARIABLE}, or use a workspace outside root's own folders."
    )


def data_place(root: Path, account: Account) -> Path:
    """Where a new cluster of the workspace folder `root` lies: `root/data` or outside."""
    if account.can_enter(root):
        return root / "data"
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return safe_folder(reachable_home(account) / name) / "data"


def reachable_binaries(binaries: Binaries, account: Account) -> Binaries:
    """The programs themselves when the account can start them, else a copy in our own folder.

    The copy is named by its content, so that every environment with the same wheel shares it.
    """
    if account.can_run(binaries.folder / "postgres"):
        return binaries
    prefix = binaries.folder.parent
    home = safe_folder(reachable_home(account) / "programs")
    place = home / f"{binaries.version}-{_content_name(prefix)}"
    copy = place / "package" / prefix.name
    if not place.exists():
        draft = home / f"draft-{secrets.token_hex(6)}"
        try:
            _copy_programs(prefix, draft)
            draft.rename(place)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            if not place.exists():
                raise
    if not account.can_run(copy / "bin" / "postgres"):
        raise PostgresError(
            f"The account {account.name} cannot start {copy / 'bin' / 'postgres'}; is "
            f"{home} on a file system mounted noexec? Name another place in {HOME_VARIABLE}."
        )
    return Binaries(copy / "bin", binaries.version, f"{binaries.origin}, copied")


def _content_name(prefix: Path) -> str:
    content = hashlib.sha256()
    for name in ("postgres", "initdb"):
        content.update((prefix / "bin" / name).read_bytes())
    return content.hexdigest()[:16]


def _copy_programs(prefix: Path, draft: Path) -> None:
    """Copy what `postgres` and `initdb` need, in the wheel's relative layout.

    `<draft>/package/<prefix>/{bin,lib,share}` with `<draft>/package.libs` as sibling of the
    package, which the programs find through $ORIGIN.
    """
    copy = draft / "package" / prefix.name
    (copy / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        shutil.copyfile(prefix / "bin" / name, copy / "bin" / name)
        (copy / "bin" / name).chmod(0o755)
    skip = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
    for name in ("lib", "share"):
        shutil.copytree(prefix / name, copy / name, ignore=skip)
    for libraries in prefix.parent.parent.glob(f"{prefix.parent.name}.libs"):
        shutil.copytree(libraries, draft / libraries.name)
    for parent, folders, files in os.walk(draft):
        for name in folders:
            (Path(parent) / name).chmod(0o755)
        for name in files:
            file = Path(parent) / name
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    draft.chmod(0o755)
