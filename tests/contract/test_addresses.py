"""Which addresses may be called: the public ones, and what a connection's settings allow."""

from __future__ import annotations

import ipaddress

import pytest

from tillbridge.atoms.errors import RetryLater
from tillbridge.contract.addresses import LOOPBACK, Reach, loopback_hosts

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - one of the refused
    "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.19.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1", "5f00::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.128.0.1",
          "2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_not_called(address: str) -> None:
    for found in ([address], ["1.1.1.1", address], [address, "1.1.1.1"]):
        with pytest.raises(RetryLater, match="not a public one"):
            Reach().check("x.example", found)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_called(address: str) -> None:
    Reach().check("x.example", [address])


def test_every_address_that_the_standard_library_calls_private_is_refused_too() -> None:
    for first in range(256):
        for second in range(0, 256, 3):
            address = ipaddress.ip_address(f"{first}.{second}.0.77")
            if not address.is_global:
                with pytest.raises(RetryLater):
                    Reach().check("x.example", [str(address)])


def test_a_name_that_is_allowed_may_be_private_but_never_the_metadata_of_a_cloud() -> None:
    reach = Reach(["erp.lan"])
    reach.check("ERP.lan", ["10.1.2.3"])
    reach.check("erp.lan", ["fd12::7"])
    for found in ("169.254.169.254", "fd00:ec2::254", "224.0.0.1", "0.0.0.0"):  # noqa: S104 - one of the refused
        with pytest.raises(RetryLater):
            reach.check("erp.lan", [found])
    with pytest.raises(RetryLater):
        reach.check("other.lan", ["10.1.2.3"])


def test_an_address_or_network_that_is_allowed_allows_no_other() -> None:
    reach = Reach(["10.1.0.0/16", "192.168.7.7"])
    reach.check("a", ["10.1.255.1"])
    reach.check("b", ["192.168.7.7"])
    reach.check("b", ["::ffff:192.168.7.7"])
    for found in ("10.2.0.1", "192.168.7.8"):
        with pytest.raises(RetryLater):
            reach.check("a", [found])
    with pytest.raises(RetryLater, match="has no address"):
        reach.check("a", [])


def test_plain_http_goes_only_where_it_is_allowed() -> None:
    Reach().check_scheme("https", "x.example")
    Reach(["erp.lan"]).check_scheme("http", "erp.lan")
    Reach(LOOPBACK).check_scheme("http", "127.0.0.1")
    for scheme, host in (("http", "x.example"), ("ftp", "127.0.0.1"), ("file", ""), ("", "")):
        with pytest.raises(RetryLater, match="https only"):
            Reach(LOOPBACK).check_scheme(scheme, host)


@pytest.mark.parametrize("entry", ["", "no host", "http://erp.lan", "10.0.0.1/8", "1234", "a/b"])
def test_an_entry_that_means_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="neither an address"):
        Reach([entry])


def test_only_literal_addresses_of_this_machine_are_taken_from_the_settings() -> None:
    here = ["http://127.0.0.1:80/x", "https://[::1]:1", "http://localhost:8", "http://a@127.0.0.2"]
    urls = [*here, "https://erp.lan", "http://10.0.0.1", "feeds/stock.toml", "http://[broken", ""]
    assert loopback_hosts(urls) == ("127.0.0.1", "::1", "localhost", "127.0.0.2")
