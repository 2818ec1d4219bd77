"""The hub put together: where each of its connections may call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbridge.app.hub import Hub
from tillbridge.app.settings import SettingsRefused, load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.errors import RetryLater
from tillbridge.atoms.ids import SystemIds
from tillbridge.contract.transport import Request, Response

REQUEST = Request(method="GET", url="http://127.0.0.1:9/")


class Nobody:
    """A way out that leads nowhere."""

    def send(self, request: Request) -> Response:
        raise RetryLater("nobody there")


def test_connections_that_may_call_the_same_places_share_a_way_out_closed_with_the_hub(
    tmp_path: Path,
) -> None:
    init(tmp_path / "workspace", SystemIds())
    workspace = load_workspace(tmp_path / "workspace")
    here = {"erp": {"url": "http://127.0.0.1:9"}}
    with Hub(workspace, "") as hub:
        own = hub.transport("web")
        assert hub.transport("feed") is own
        assert hub.reaching(here).transport("web") is own
        to_here = hub.reaching(here).transport("erp")
        assert to_here is not own
        with pytest.raises(RetryLater, match="allow_addresses"):
            own.send(REQUEST)
        with pytest.raises(RetryLater, match="cannot be reached"):
            to_here.send(REQUEST)
        hub.reaching({}).close()
        assert hub.transport("web") is own
    with pytest.raises(RuntimeError, match="closed"):
        to_here.send(REQUEST)


def test_a_connection_calls_the_private_places_its_settings_allow(tmp_path: Path) -> None:
    init(tmp_path, SystemIds())
    path = tmp_path / "tillbridge.toml"
    text = path.read_text().replace(
        "[connection.feed]", '[connection.feed]\nallow_addresses = ["127.0.0.1"]'
    )
    path.write_text(text)
    with Hub(load_workspace(tmp_path), "") as hub:
        with pytest.raises(RetryLater, match="cannot be reached"):
            hub.transport("feed").send(REQUEST)
        with pytest.raises(RetryLater, match="allow_addresses"):
            hub.transport("web").send(REQUEST)
    path.write_text(text.replace('["127.0.0.1"]', '["no host"]'))
    with pytest.raises(SettingsRefused, match="allow_addresses: 'no host' is neither"):
        load_workspace(tmp_path)


def test_a_way_out_that_is_given_is_the_only_one(tmp_path: Path) -> None:
    init(tmp_path / "workspace", SystemIds())
    given = Nobody()
    with Hub(load_workspace(tmp_path / "workspace"), "", transport=given) as hub:
        assert hub.transport("web") is given
        assert hub.reaching({}).transport("erp") is given
