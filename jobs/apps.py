"""The engine as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Jobs that are never lost and never paid twice."""

    name = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        """Let what is logged in a worker name its job and its request."""
        from jobs import tracing  # noqa: PLC0415

        tracing.install()
