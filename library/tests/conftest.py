"""A media folder of its own for every test."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path
