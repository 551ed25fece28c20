"""A stub server, and Mureka's settings pointing at it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from providers.tests.stub import Stub, stub_server


@pytest.fixture
def stub() -> Iterator[Stub]:
    with stub_server() as server:
        yield server


@pytest.fixture
def mureka_stub(stub: Stub, settings: Settings) -> Stub:
    settings.MUREKA_BASE_URL = stub.url
    settings.MUREKA_API_KEY = "sk-secret-key-1"
    settings.MUREKA_FILE_HOSTS = ["cdn.mureka.ai"]
    return stub
