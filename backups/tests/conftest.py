"""A library and a folder of backups of its own for every test."""

from pathlib import Path

import pyrage
import pytest
from pytest_django import Settings

from backups.sealing import Seal
from backups.store import Store


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    settings.MEDIA_ROOT = folder
    settings.DATA_DIR = tmp_path
    return folder


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Settings) -> Store:
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.BACKUP_AGE_RECIPIENT = settings.BACKUP_AGE_IDENTITY = ""
    return Store(settings.BACKUP_DIR)


@pytest.fixture
def age(tmp_path: Path, settings: Settings) -> Seal:
    """Encrypt for a key, which lies in a file."""
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "age.key"
    path.write_text(f"# a comment\n{identity}\n")
    settings.BACKUP_AGE_RECIPIENT = str(identity.to_public())
    return Seal(settings.BACKUP_AGE_RECIPIENT, str(path))
