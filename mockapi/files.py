"""Result files: unguessable addresses that need no row each, and a bounded cache of what was rendered."""

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from mockapi import scenarios
from mockapi.models import ACCOUNT_ID, MurekaTask

CONTENT_TYPES = {"mp3": "audio/mpeg", "flac": "audio/flac", "wav": "audio/wav", "zip": "application/zip"}
# The cache keeps the newest files; an older one is rendered again when somebody asks for it.
CACHED_FILES = 300


class Part(NamedTuple):
    """What a token names: a task's id in the database, and which of its files."""

    pk: int
    take: int


def address(task: MurekaTask, index: int, extension: str) -> str:
    """Return the path of a result below the mock's `files/`, in the provider's form."""
    return f"{task.kind}/{task.created_at:%Y%m%d}/{ACCOUNT_ID}-{token(task.kind, task.pk, index)}.{extension}"


def token(kind: str, pk: int, index: int) -> str:
    """Return 22 characters that carry the id and prove that this installation made them."""
    named = pk.to_bytes(6, "big") + index.to_bytes(1, "big")
    proof = salted_hmac("mockapi.files", kind.encode() + named, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(named + proof[:9]).rstrip(b"=").decode()


def read_token(kind: str, value: str) -> Part | None:
    """Return what a token names, or None if it was not made here."""
    try:
        named = base64.urlsafe_b64decode(value + "==")[:7]
    except ValueError:
        return None
    part = Part(int.from_bytes(named[:6], "big"), named[6] if len(named) == 7 else 0)
    return part if constant_time_compare(token(kind, *part), value) else None


def available(kind: str, value: str) -> tuple[MurekaTask, int] | None:
    """Return the task of a token and which of its files is meant, if it can be had: made here, succeeded, not 0010."""
    part = read_token(kind, value)
    task = MurekaTask.objects.filter(pk=part.pk, kind=kind).first() if part else None
    if part is None or task is None or task.scenario == scenarios.MISSING_FILES:
        return None
    return (task, part.take) if scenarios.status_at(task, timezone.now()) == "succeeded" else None


def open_cached(name: str, produce: Callable[[Path], None]) -> BinaryIO:
    """Open a file of the cache, made by `produce` if missing; always complete, with any number of processes."""
    folder = settings.DATA_DIR / "mock"
    try:
        return (folder / name).open("rb")
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
        unfinished = Path(file.name)
    try:
        produce(unfinished)
        finished = unfinished.open("rb")  # opened before it has a name that another process may prune
        unfinished.replace(folder / name)
    finally:
        unfinished.unlink(missing_ok=True)
    _prune(folder)
    return finished


def _prune(folder: Path) -> None:
    found: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        try:
            found.append((path.stat().st_mtime, path))
        except FileNotFoundError:  # another process pruned it, or finished it
            continue
    for _, path in sorted(found, reverse=True)[CACHED_FILES:]:
        path.unlink(missing_ok=True)
