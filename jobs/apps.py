"""The engine as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Jobs that are never lost and never paid twice."""

    name = "jobs"
    verbose_name = _("Jobs")
