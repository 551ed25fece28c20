"""Songs as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SongsConfig(AppConfig):
    """Songs and instrumentals made by Mureka."""

    name = "songs"
    verbose_name = _("Songs")

    def ready(self) -> None:
        """Hand our kinds of jobs to the engine, and say which files we have."""
        from songs import holding, tasks  # noqa: PLC0415  # models must be loaded first

        tasks.register()
        holding.register()
