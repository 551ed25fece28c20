"""Which addresses the studio may go to: everybody's, and at home only those of the configured providers.

An answer, or a name that leads elsewhere since it was checked, must not make the studio ask the router or the database
for something. So it is the connection itself that looks at the address it stands to.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

PORTS = {"http": 80, "https": 443}
NAT64 = ip_network("64:ff9b::/96")


class PrivateAddressError(ValueError):
    """The host is in a private network, and no provider is configured there."""


def check_host(host: str, port: int) -> None:
    """Raise PrivateAddressError if a name leads, by any of its addresses, where we may not go. Sends nothing there."""
    if is_configured(host, port):
        return
    with suppress(OSError, UnicodeError):  # a name that leads nowhere is the connection's own trouble
        for *_kind, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            check_address(str(address[0]))


def check_peer(host: str, port: int, connected: socket.socket) -> None:
    """Raise PrivateAddressError if the connection stands to where we may not go, whatever its name led to before."""
    if not is_configured(host, port):
        check_address(str(connected.getpeername()[0]))


def check_address(text: str) -> None:
    """Raise PrivateAddressError unless it is an address of the open network."""
    if not is_public(text):
        raise PrivateAddressError("the address is in a private network")


def is_public(text: str) -> bool:
    """Tell whether an address is one of the open network: all that it may stand for must be."""
    return all(
        address.is_global and not address.is_multicast for address in meanings(ip_address(text.partition("%")[0]))
    )


def meanings(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """Give an address, and the IPv4 addresses that an IPv6 address carries: those are where it leads."""
    if isinstance(address, IPv4Address):
        yield address
        return
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        carried.append(IPv4Address(int(address) & 0xFFFFFFFF))
    found = [one for one in carried if one is not None]
    yield from found
    if not found:
        yield address


def is_configured(host: str, port: int) -> bool:
    """Tell whether a provider is configured to be there, or PRIVATE_HOSTS names the host (with or without its port)."""
    name = host.lower().strip("[]")
    return (name, port) in configured_hosts() or not {name, f"{name}:{port}"}.isdisjoint(settings.PRIVATE_HOSTS)


def configured_hosts() -> set[tuple[str, int]]:
    """Return host and port of each provider's own address, and of the studio's, at which it asks itself."""
    urls = (settings.MUREKA_BASE_URL, settings.OPENAI_BASE_URL, settings.OLLAMA_BASE_URL, settings.PUBLIC_URL)
    bases = [urlsplit(url) for url in urls if url]
    return {((base.hostname or "").lower(), base.port or PORTS.get(base.scheme, 0)) for base in bases}
