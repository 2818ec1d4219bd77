"""Secrets at rest: what is sealed opens only where it belongs, and no old key opens anything."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec
import pytest

from tests.app.test_settings import GOOD
from tillbridge.app import master_key
from tillbridge.app.sealed_secrets import KEYS, SealedSecrets
from tillbridge.app.settings import FILE, SettingsRefused, load_workspace
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import SystemIds

IDS = SystemIds()
NOW = SystemClock().now()
CANARY = "canary-of-the-vault-1a2b3c"


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SealedSecrets:
    """A folder whose master key is a file of its own."""
    monkeypatch.delenv(master_key.VARIABLE, raising=False)
    monkeypatch.delenv(master_key.FILE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = SealedSecrets(tmp_path / "shop")
    found.set("web", CANARY, IDS, NOW)
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_secret_is_read_back_and_stands_nowhere_in_plain(
    sealed: SealedSecrets, tmp_path: Path
) -> None:
    assert sealed.read("web") == CANARY
    assert [note for note in sealed.notes() if CANARY in repr(note)] == []
    assert [path for path, body in files(tmp_path).items() if CANARY.encode() in body] == []
    for path in (tmp_path / "shop" / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    place = sealed.master_place()
    assert place is not None
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.is_relative_to(tmp_path / "config")


def test_the_workspace_alone_opens_nothing(sealed: SealedSecrets) -> None:
    place = sealed.master_place()
    assert place is not None
    place.unlink()
    with pytest.raises(Refused, match="is not here: looked for TILLBRIDGE_MASTER_KEY"):
        sealed.read("web")
    place.write_text("00" * 32)
    with pytest.raises(Refused, match="changed or belong elsewhere"):
        sealed.read("web")


def swapped_name(folder: Path) -> None:
    (folder / "web").write_bytes((folder / "erp").read_bytes())


def swapped_name_and_label(folder: Path) -> None:
    text = (folder / "erp").read_bytes().replace(b'"name":"erp"', b'"name":"web"')
    (folder / "web").write_bytes(text)


def other_version(folder: Path) -> None:
    text = (folder / "web").read_bytes().replace(b'"version":1', b'"version":2')
    (folder / "web").write_bytes(text)


def flipped_bit(folder: Path) -> None:
    told = msgspec.json.decode((folder / "web").read_bytes())
    told["body"] = ("B" if told["body"][0] == "A" else "A") + told["body"][1:]
    (folder / "web").write_bytes(msgspec.json.encode(told))


def cut_off(folder: Path) -> None:
    (folder / "web").write_bytes((folder / "web").read_bytes()[:60])


@pytest.mark.parametrize(
    "change", [swapped_name, swapped_name_and_label, other_version, flipped_bit, cut_off]
)
def test_a_file_that_was_changed_or_moved_does_not_open(
    sealed: SealedSecrets, tmp_path: Path, change: object
) -> None:
    sealed.set("erp", "another", IDS, NOW)
    assert callable(change)
    change(tmp_path / "shop" / "secrets")
    with pytest.raises(Refused, match=r"does not open|damaged") as caught:
        sealed.read("web")
    assert CANARY not in str(caught.value)
    assert sealed.read("erp") == "another"


def test_a_file_of_another_workspace_does_not_open(sealed: SealedSecrets, tmp_path: Path) -> None:
    other = SealedSecrets(tmp_path / "other")
    other.set("web", "theirs", IDS, NOW)
    mine, theirs = (tmp_path / name / "secrets" / "web" for name in ("shop", "other"))
    mine.write_bytes(theirs.read_bytes())
    with pytest.raises(Refused, match="does not open"):
        sealed.read("web")


def test_rotation_keeps_values_and_ends_what_the_old_keys_open(
    sealed: SealedSecrets, tmp_path: Path
) -> None:
    sealed.set("erp", "another", IDS, NOW)
    folder = tmp_path / "shop" / "secrets"
    old_file, old_keys = (folder / "web").read_bytes(), (folder / KEYS).read_bytes()
    old_place = sealed.master_place()
    assert sealed.rotate(IDS, NOW) == 2
    assert (sealed.read("web"), sealed.read("erp")) == (CANARY, "another")
    assert [(note.version, note.key) for note in sealed.notes()] == [(1, 2), (1, 2)]
    assert old_place is not None
    assert not old_place.exists()
    (folder / "web").write_bytes(old_file)
    with pytest.raises(Refused, match="sealed with key 1, which is gone"):
        sealed.read("web")
    (folder / KEYS).write_bytes(old_keys)
    with pytest.raises(Refused, match="is not here"):
        sealed.read("web")


def test_a_rotation_that_cannot_open_the_old_key_leaves_no_new_one(
    sealed: SealedSecrets, tmp_path: Path
) -> None:
    place = sealed.master_place()
    assert place is not None
    place.rename(tmp_path / "elsewhere")
    before = files(tmp_path)
    with pytest.raises(Refused, match="is not here"):
        sealed.rotate(IDS, NOW)
    assert files(tmp_path) == before


def test_readers_notice_nothing_of_a_rotation(sealed: SealedSecrets) -> None:
    wrong: list[str] = []
    stop = threading.Event()

    def reader() -> None:
        while not stop.is_set():
            try:
                if sealed.read("web") != CANARY:
                    wrong.append("another value")
            except Refused as problem:
                wrong.append(problem.words)

    threads = [threading.Thread(target=reader) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        sealed.rotate(IDS, NOW)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_master_key_of_the_environment_is_replaced_by_putting_a_new_one_in_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = "11" * 32, "22" * 32
    monkeypatch.setenv(master_key.VARIABLE, old)
    sealed = SealedSecrets(tmp_path)
    sealed.set("web", CANARY, IDS, NOW)
    monkeypatch.setenv(master_key.VARIABLE, f"{new} {old}")
    assert sealed.read("web") == CANARY
    sealed.rotate(IDS, NOW)
    monkeypatch.setenv(master_key.VARIABLE, new)
    assert sealed.read("web") == CANARY
    assert sealed.master_place() is None
    monkeypatch.setenv(master_key.VARIABLE, old)
    with pytest.raises(Refused, match="is not here"):
        sealed.read("web")


def test_every_seal_has_a_nonce_of_its_own(sealed: SealedSecrets, tmp_path: Path) -> None:
    nonces = set()
    for _ in range(200):
        sealed.set("web", CANARY, IDS, NOW)
        told = msgspec.json.decode((tmp_path / "shop" / "secrets" / "web").read_bytes())
        nonces.add(told["nonce"])
    assert len(nonces) == 200
    assert sealed.notes()[0].version == 201


@pytest.mark.parametrize("name", ["", "../x", ".keys", "a/b", "x" * 64])
def test_a_name_that_leads_elsewhere_is_refused(sealed: SealedSecrets, name: str) -> None:
    with pytest.raises(Refused, match="no name of a secret"):
        sealed.set(name, "x", IDS, NOW)


@pytest.mark.parametrize("value", ["", "a\x00b", "x" * 70_000])
def test_a_value_that_is_none_is_refused(sealed: SealedSecrets, value: str) -> None:
    with pytest.raises(Refused, match="a secret has 1 to"):
        sealed.set("web", value, IDS, NOW)


def test_plain_files_are_taken_told_and_sealed_in_their_place(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (tmp_path / FILE).write_text(GOOD + f'secrets.a = {{ file = "secrets/{CANARY[:6]}" }}\n')
    path = secrets / CANARY[:6]
    path.write_text(CANARY + "\n")
    workspace = load_workspace(tmp_path)
    assert workspace.secrets("erp") == {"a": (CANARY,)}
    assert workspace.plain_secrets() == [CANARY[:6]]
    assert SealedSecrets(tmp_path).import_plain(IDS, NOW) == [CANARY[:6]]
    assert workspace.secrets("erp") == {"a": (CANARY,)}
    assert workspace.plain_secrets() == []
    assert CANARY.encode() not in path.read_bytes()
    outside = tmp_path / "stolen"
    os.rename(path, outside)  # noqa: PTH104 - a sealed file elsewhere
    (tmp_path / FILE).write_text(GOOD + 'secrets.a = { file = "stolen" }\n')
    with pytest.raises(SettingsRefused, match="sealed ones stand in secrets/"):
        load_workspace(tmp_path).secrets("erp")
