"""Chat as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    """Conversations with the models of Ollama."""

    name = "chat"
    verbose_name = _("Chat")
