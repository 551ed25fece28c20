"""Chat as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    """Conversations with the models of Ollama."""

    name = "chat"
    verbose_name = _("Chat")

    def ready(self) -> None:
        """Have the trash emptied, what a dead process left behind settled, and Ollama's models looked at."""
        from django_q.models import Schedule  # noqa: PLC0415  # models must be loaded first

        from jobs.schedule import Line, register  # noqa: PLC0415

        register("chat.tidy", Line("chat.tasks.tidy", Schedule.HOURLY))
        register("chat.look", Line("chat.tasks.look", Schedule.HOURLY))
