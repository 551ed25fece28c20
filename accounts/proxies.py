"""From where somebody really asks, when proxies stand in front of the studio."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings

Address = IPv4Address | IPv6Address

HOPS = 20  # of X-Forwarded-For that are read; more is nobody's honest way
NETWORK_OF_ONE = 64  # bits; who has one IPv6 address has all of its network


def client_address(request: Any) -> str | None:
    """Return the address a request comes from, None if it has none (a test, a command).

    X-Forwarded-For is read from the right, and only as far as the trusted proxies (TRUSTED_PROXIES) reach: what is left
    of them anybody may have written. Behind a socket, which has no address, there is only a proxy of ours.
    """
    address = parsed(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    for hop in reversed(forwarded[-HOPS:]):
        before = parsed(hop.strip())
        if before is None or (address and not is_trusted(address)):
            break
        address = before
    return str(address) if address else None


def client_network(request: Any) -> str | None:
    """Return by what a client is counted: its IPv4 address, or the first address of its IPv6 network."""
    address = parsed(client_address(request) or "")
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, NETWORK_OF_ONE), strict=False).network_address)
    return str(address) if address else None


def is_trusted(address: Address) -> bool:
    """Tell whether the address is one of our own proxies."""
    return any(address in ip_network(network) for network in settings.TRUSTED_PROXIES)


def parsed(text: str) -> Address | None:
    """Read an address, with or without a port; None if it is none. An IPv4 address in IPv6 clothes is itself."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
