"""Prompt templates and what is written with them as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PromptsConfig(AppConfig):
    """Templates, magic functions, and texts that Ollama writes."""

    name = "prompts"
    verbose_name = _("Prompts")
