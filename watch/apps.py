"""Watching as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WatchConfig(AppConfig):
    """What the studio remembers of how it fares: figures that every process adds to, and alerts that are sent once."""

    name = "watch"
    verbose_name = _("Watch")

    def ready(self) -> None:
        """Count the calls of providers."""
        from django_q.signals import post_spawn  # noqa: PLC0415

        from providers import calls  # noqa: PLC0415
        from watch import counting  # noqa: PLC0415

        post_spawn.connect(counting.start, dispatch_uid="watch.counting.start")
        if counting.count_call not in calls.listeners:
            calls.listeners.append(counting.count_call)
