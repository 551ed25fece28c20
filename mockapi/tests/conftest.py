"""The mock by itself: its own addresses, its own data directory, quick jobs and short songs."""

from pathlib import Path

import pytest
from pytest_django import Settings

from mockapi.tests.driving import Mureka


@pytest.fixture(autouse=True)
def mock_settings(settings: Settings, tmp_path: Path) -> Settings:
    settings.ROOT_URLCONF = "mockapi.urls"
    settings.DATA_DIR = tmp_path
    settings.SECURE_SSL_REDIRECT = False
    settings.MOCKAPI_KEY = ""
    settings.MOCKAPI_SECONDS = 0
    settings.MOCKAPI_AUDIO_SECONDS = 2
    settings.MOCKAPI_BALANCE = 3000
    settings.MOCKAPI_CONCURRENT_LIMIT = 2
    return settings


@pytest.fixture
def mureka(db: None) -> Mureka:
    return Mureka()
