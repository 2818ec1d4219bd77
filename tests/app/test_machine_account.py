"""Accounts of the machine by name, also where they have none."""

from __future__ import annotations

import getpass
import os

from tillbridge.app.machine_account import account


def test_an_account_has_a_name_also_in_a_container() -> None:
    assert account(os.getuid()) == getpass.getuser()
    assert account(4_000_000_001) == "uid-4000000001"
