"""Pictures as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImagesConfig(AppConfig):
    """Pictures made by OpenAI, or by a compatible server."""

    name = "images"
    verbose_name = _("Images")

    def ready(self) -> None:
        """Hand our kind of job to the engine, and say which files we have."""
        from images import holding, tasks  # noqa: PLC0415  # models must be loaded first

        tasks.register()
        holding.register()
