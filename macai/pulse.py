"""Whether the studio is well: the worker, the providers, the storage."""

import tempfile
import time
import uuid
from typing import NamedTuple

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils.translation import gettext as _
from django_q.status import Stat

from library.storage import INCOMING
from providers import mureka, ollama, openai
from providers.errors import ProviderError

PROBED_FOR = 15.0  # seconds that the bucket's answer is remembered: each probe is paid for


class Provider(NamedTuple):
    """A service outside that the studio uses."""

    name: str
    is_mock: bool
    setting: str  # what leads to the real one
    is_paid: bool = True


class OllamaAnswer(NamedTuple):
    """What Ollama said when it was asked for its models; `problem` is one sentence, "" when all is well."""

    address: str
    model_count: int
    problem: str

    @property
    def is_well(self) -> bool:
        """Whether texts can be written now."""
        return not self.problem


def ask_ollama() -> OllamaAnswer:
    """Ask Ollama for its models, which takes up to ten seconds where it does not answer: for fragments of a page."""
    try:
        models = ollama.list_models()
    except ProviderError as error:
        return OllamaAnswer(settings.OLLAMA_BASE_URL, 0, error.message)
    count = sum(model.writes for model in models)
    problem = "" if count else _("Ollama has no model yet. Get one with “ollama pull llama3.2”.")
    return OllamaAnswer(settings.OLLAMA_BASE_URL, count, problem)


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
    return bucket_probe.is_well() if settings.MEDIA_S3_BUCKET else True


class BucketProbe:
    """Whether a small object could be stored in the bucket, read again and deleted, a moment ago."""

    def __init__(self) -> None:
        self._at = float("-inf")
        self._was_well = False

    def is_well(self) -> bool:
        """Return what is remembered, if it is fresh; else try."""
        if time.monotonic() - self._at > PROBED_FOR:
            self._was_well = self.try_bucket()
            self._at = time.monotonic()
        return self._was_well

    def try_bucket(self) -> bool:
        """Store, read and delete."""
        probe = storages["probe"]
        try:
            name = probe.save(f"{INCOMING}/{uuid.uuid4().hex}", ContentFile(b"macai"))
            with probe.open(name) as file:
                is_whole = bool(file.read() == b"macai")
            probe.delete(name)
        except OSError:
            return False
        return is_whole

    def forget(self) -> None:
        """Try the next time, however soon."""
        self._at = float("-inf")


bucket_probe = BucketProbe()
