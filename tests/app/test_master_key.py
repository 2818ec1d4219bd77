"""The master key: from the environment or a file of its own, never in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbridge.app import master_key
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import SystemIds

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(master_key.VARIABLE, raising=False)
    monkeypatch.delenv(master_key.FILE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_environment_wins_with_its_value_or_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert master_key.given() == []
    (tmp_path / "key").write_text(f"{'cd' * 32}\n{KEY}\n")
    monkeypatch.setenv(master_key.FILE_VARIABLE, str(tmp_path / "key"))
    assert [key.value.hex() for key in master_key.given()] == ["cd" * 32, KEY]
    monkeypatch.setenv(master_key.VARIABLE, KEY)
    assert [key.value.hex() for key in master_key.given()] == [KEY]


@pytest.mark.parametrize("text", ["short", "zz" * 32, KEY[:-1], KEY + "00", "pässwörd", " "])
def test_what_is_no_key_is_refused_without_being_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(master_key.VARIABLE, text)
    with pytest.raises(Refused) as caught:
        master_key.given()
    assert not text.strip() or text not in caught.value.words


def test_a_key_of_its_own_file_is_made_kept_and_forgotten() -> None:
    key = master_key.make(SystemIds())
    assert master_key.kept(key.name).value == key.value
    assert key.value.hex() not in repr(key)
    assert master_key.place(key.name).parent.stat().st_mode & 0o777 == 0o700
    master_key.forget(key.name)
    with pytest.raises(Refused, match="is not here"):
        master_key.kept(key.name)


def test_where_no_file_can_be_kept_the_environment_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(Refused, match="give one in TILLBRIDGE_MASTER_KEY"):
        master_key.make(SystemIds())
    monkeypatch.setenv(master_key.FILE_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(Refused, match="No such file"):
        master_key.given()
