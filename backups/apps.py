"""Backups as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackupsConfig(AppConfig):
    """The database and the files, kept a second time; and the way back."""

    name = "backups"
    verbose_name = _("Backups")

    def ready(self) -> None:
        """Have backups made and verified by themselves."""
        from backups import tasks  # noqa: PLC0415  # models must be loaded first

        tasks.register()
