"""Whether the studio is well: the worker, the providers, the storage."""

import tempfile
from typing import NamedTuple

from django.conf import settings
from django_q.status import Stat

from providers import mureka, ollama, openai


class Provider(NamedTuple):
    """A service outside that the studio uses."""

    name: str
    is_mock: bool
    setting: str  # what leads to the real one
    is_paid: bool = True


def worker_is_alive() -> bool:
    """Tell whether a cluster's heartbeat is fresh: it writes one twice a second, which is gone after three."""
    # Just after a restart the first read of a file or database cache comes back empty, so an empty one is read again.
    return bool(Stat.get_all() or Stat.get_all())


def providers() -> list[Provider]:
    """Return the services that the studio's pages use now, real or imitated."""
    return [
        Provider("Mureka", mureka.is_mock(), "MUREKA_API_KEY"),
        Provider("OpenAI", openai.is_mock(), "OPENAI_API_KEY"),
        Provider("Ollama", ollama.is_mock(), "OLLAMA_BASE_URL", is_paid=False),
    ]


def storage_is_writable() -> bool:
    """Tell whether a file can be written where songs and pictures are kept."""
    try:
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT) as file:
            file.write(b"macai")
            file.flush()
    except OSError:
        return False
    return True
