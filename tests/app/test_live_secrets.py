"""A secret changed while the hub runs is taken over; what cannot be read changes nothing."""

from __future__ import annotations

from pathlib import Path

from tillbridge.app.http import intake_connections
from tillbridge.app.live_secrets import LiveSecrets
from tillbridge.app.sealed_secrets import SealedSecrets
from tillbridge.app.settings import FILE, load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SystemIds


def test_a_new_secret_is_live_beside_the_old_one_and_then_alone(tmp_path: Path) -> None:
    init(tmp_path, SystemIds())
    live = LiveSecrets(tmp_path, intake_connections)
    served = intake_connections(load_workspace(tmp_path))
    (old,) = served["web"].secrets
    assert live.look(served) is None
    SealedSecrets(tmp_path).set("web-2", "brand new", SystemIds(), SystemClock().now())
    path = tmp_path / FILE
    text = path.read_text()
    one, both = '{ file = "secrets/web-webhook" }', '{ file = "secrets/web-2" }, '
    path.write_text(text.replace(one, both + one))
    found = live.look(served)
    assert found is not None
    assert found["web"].secrets == ("brand new", old)
    assert found["feed"] == served["feed"]
    assert live.look(found) is None
    path.write_text(text.replace(one, both))
    alone = live.look(found)
    assert alone is not None
    assert alone["web"].secrets == ("brand new",)


def test_settings_that_cannot_be_read_leave_the_secrets_as_they_are(tmp_path: Path) -> None:
    init(tmp_path, SystemIds())
    live = LiveSecrets(tmp_path, intake_connections)
    served = intake_connections(load_workspace(tmp_path))
    path = tmp_path / FILE
    text = path.read_text()
    path.write_text("nonsense")
    assert live.look(served) is None
    path.unlink()
    assert live.look(served) is None
    path.write_text(text.replace("[connection.feed]", "[connection.food]"))
    found = live.look(served)
    assert found is not None
    assert found.keys() == served.keys()
