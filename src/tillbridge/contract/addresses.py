"""Where a call out may go: public addresses by https, others only as the connection's settings say.

A name is judged by every address it resolves to at the moment of the call, never by how it looks:
`2130706433`, `0x7f.1` and a name that was public a second ago all end as an address. Numbers are
those of the special-purpose registries (RFC 6890 and successors).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from tillbridge.atoms.errors import RetryLater

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK = ("localhost", "127.0.0.0/8", "::1")
"""What a call to this machine itself needs."""

_DENIED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "::1/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
# What a name of a private network may well stand for; the cloud's metadata (169.254/16, its IPv6
# kin fd00:ec2::254) is never among them.
_PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
        "::1/128", "fc00::/7",
    )
)  # fmt: skip
_METADATA = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::/32"))


class Reach:
    """Where one connection may call: public https, and what its settings allow by name, address or
    network (`erp.lan`, `10.1.2.3`, `10.1.0.0/16`), there also by plain http.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        """Raises ValueError for an entry that is neither an address, a network nor a name."""
        self._networks: list[Network] = []
        self._names: set[str] = set()
        for entry in allow:
            try:
                self._networks.append(ipaddress.ip_network(entry))
            except ValueError:
                self._names.add(_name(entry))

    def check_scheme(self, scheme: str, host: str) -> None:
        """Raise RetryLater unless the call is https or its host is allowed by the settings."""
        if scheme == "https":
            return
        if scheme == "http" and (host.lower() in self._names or self._listed(host)):
            return
        raise RetryLater(
            f"{host} is not called by {scheme}: https only, or name the host in allow_addresses"
        )

    def check(self, host: str, found: Sequence[str]) -> None:
        """Raise RetryLater unless every address that a host resolved to may be called."""
        if not found:
            raise RetryLater(f"{host} has no address")
        for text in found:
            if not self._allows(host, _address(text)):
                raise RetryLater(
                    f"{host} is not called: its address is not a public one, and the connection "
                    "does not allow it (allow_addresses)"
                )

    def _allows(self, host: str, address: Address) -> bool:
        if any(address in network for network in self._networks):
            return True
        if any(address in network for network in _METADATA):
            return False
        if host.lower() in self._names and any(address in network for network in _PRIVATE):
            return True
        return not any(address in network for network in _DENIED)

    def _listed(self, host: str) -> bool:
        try:
            address = _address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def loopback_hosts(urls: Sequence[str]) -> tuple[str, ...]:
    """Hosts of this machine itself that URLs of the settings name literally; what merely resolves
    to it does not count.
    """
    found = []
    for url in urls:
        try:
            host = urlsplit(url).hostname or "" if "://" in url else ""
            here = host == "localhost" or _address(host).is_loopback
        except ValueError:
            continue
        if here:
            found.append(host)
    return tuple(found)


def _address(text: str) -> Address:
    """An address; one of IPv4 in IPv6's clothes is the IPv4 one. Raises ValueError."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _name(entry: str) -> str:
    letters = entry.replace("-", "").replace(".", "").replace("_", "")
    if not (letters.isascii() and letters.isalnum()) or letters.isdigit():
        raise ValueError(f"{entry!r} is neither an address, a network nor the name of a host")
    return entry.lower()
