"""The hub put together: one way out for everything it calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbridge.app.hub import Hub
from tillbridge.app.settings import load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.errors import RetryLater
from tillbridge.atoms.ids import SystemIds
from tillbridge.contract.transport import Request, Response


class Nobody:
    """A way out that leads nowhere."""

    def send(self, request: Request) -> Response:
        raise RetryLater("nobody there")


def test_a_hub_has_one_way_out_and_closes_only_its_own(tmp_path: Path) -> None:
    init(tmp_path / "workspace", SystemIds())
    workspace = load_workspace(tmp_path / "workspace")
    with Hub(workspace, "") as hub:
        own = hub.transport
        assert hub.transport is own
        assert hub.reaching({}).transport is own
        hub.reaching({}).close()
    request = Request(method="GET", url="http://127.0.0.1:9/")
    with pytest.raises(RuntimeError, match="closed"):
        own.send(request)
    given = Nobody()
    with Hub(workspace, "", transport=given) as hub:
        assert hub.transport is given
