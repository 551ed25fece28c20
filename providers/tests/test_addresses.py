"""The studio goes to the open network, and at home only to the providers that are configured there."""

import socket
from typing import Any

import pytest
from pytest_django import Settings

from providers import addresses, webhook
from providers.addresses import PrivateAddressError, check_host, is_public
from providers.errors import DownloadError, ProviderError, Verdict
from providers.http import open_download, request_json
from providers.tests.stub import Stub, answer

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "2002:c0a8:101::", "2001:0:7f00:1::", "2001:db8::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.63.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.fixture(autouse=True)
def _nothing_is_configured_at_home(settings: Settings) -> None:
    settings.PRIVATE_HOSTS = []
    settings.MUREKA_BASE_URL = "https://api.mureka.ai"
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    settings.OLLAMA_BASE_URL = "http://192.168.1.5:11434"


def fetch(url: str, host: str) -> bytes:
    with open_download(url, hosts={host}, max_bytes=100, timeout=(1, 1)) as source:
        return b"".join(source.chunks())


def ask(url: str) -> dict[str, Any]:
    return request_json("GET", url, provider="Mureka", key="k", timeout=(1, 1), paid=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_everybodys_is_none_to_go_to(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_network_is_one_to_go_to(address: str) -> None:
    assert is_public(address)


def test_a_file_at_home_is_not_fetched_and_nothing_is_sent_there(stub: Stub) -> None:
    for host in (stub.host, f"localhost:{stub.port}", f"[::ffff:127.0.0.1]:{stub.port}"):
        with pytest.raises(DownloadError) as caught:
            fetch(f"http://{host}/a.mp3", host)
        assert caught.value.kind == "refused"
        assert "private network" in caught.value.message
    assert stub.connections == 0


def test_a_redirect_into_the_home_network_is_not_followed(stub: Stub, settings: Settings) -> None:
    settings.PRIVATE_HOSTS = [stub.host]
    other = f"localhost:{stub.port}"
    stub.behaviour = answer(302, "", Location=f"http://{other}/admin")
    with (
        pytest.raises(DownloadError) as caught,
        open_download(f"{stub.url}/a.mp3", hosts={stub.host, other}, max_bytes=100, timeout=(1, 1)),
    ):
        pass
    assert caught.value.kind == "refused"
    assert len(stub.requests) == 1


def test_a_name_that_leads_elsewhere_since_it_was_checked_is_noticed(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the check sees an address of the open network, the connection gets one at home."""
    real = socket.getaddrinfo

    def open_network(*_args: Any, **_kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", stub.port))]

    class RebindingSocket:
        getaddrinfo = staticmethod(open_network)
        SOCK_STREAM = socket.SOCK_STREAM

    monkeypatch.setattr(addresses, "socket", RebindingSocket)
    assert socket.getaddrinfo is real
    with pytest.raises(DownloadError) as caught:
        fetch(f"http://localhost:{stub.port}/a.mp3", f"localhost:{stub.port}")
    assert caught.value.kind == "refused"
    assert stub.requests == []


def test_a_call_into_the_home_network_never_leaves(stub: Stub) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(stub.url)
    assert caught.value.verdict is Verdict.LATER
    assert stub.connections == 0


@pytest.mark.parametrize("name", ["MUREKA_BASE_URL", "OPENAI_BASE_URL", "OLLAMA_BASE_URL", "PUBLIC_URL"])
def test_a_provider_may_be_configured_at_home(stub: Stub, settings: Settings, name: str) -> None:
    setattr(settings, name, f"{stub.url}/v1")
    assert ask(stub.url) == {}
    stub.behaviour = answer(200, "song")
    assert fetch(f"{stub.url}/a.mp3", stub.host) == b"song"
    with pytest.raises(PrivateAddressError):
        check_host("127.0.0.1", stub.port + 1)


def test_an_alert_goes_home_only_where_its_host_is_named(stub: Stub, settings: Settings) -> None:
    with pytest.raises(webhook.WebhookError, match="PRIVATE_HOSTS"):
        webhook.post(f"{stub.url}/hook", {"event": "test"})
    assert not webhook.answers(stub.url)
    assert stub.connections == 0
    settings.PRIVATE_HOSTS = ["127.0.0.1"]
    webhook.post(f"{stub.url}/hook", {"event": "test"})
    settings.PRIVATE_HOSTS, settings.PUBLIC_URL = [], stub.url
    assert webhook.answers(stub.url)


def test_further_hosts_at_home_can_be_named(settings: Settings) -> None:
    settings.PRIVATE_HOSTS = ["192.168.1.7:8080", "nas.local"]
    check_host("192.168.1.7", 8080)
    check_host("NAS.local", 443)
    with pytest.raises(PrivateAddressError):
        check_host("192.168.1.7", 22)


def test_a_name_that_leads_nowhere_is_the_connections_own_trouble() -> None:
    check_host("nowhere.invalid", 443)
