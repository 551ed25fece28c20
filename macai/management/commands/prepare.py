"""`manage.py prepare`: make everything ready for the processes of a new version, once, and end."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError

from macai.preparing import (
    alone,
    checks_must_pass,
    collect_static,
    create_owner_from_environment,
    give_up,
    migrate,
    share_static,
)


class Command(BaseCommand):
    """Do what comes before app and worker: `manage.py up` does it by itself."""

    help = "Checks the settings, migrates the database, makes the owner's account and the static files ready."
    requires_system_checks = []  # run below, told in sentences

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it alone: several hosts may start at once."""
        checks_must_pass()
        try:
            with alone():
                migrate()
                create_owner_from_environment()
                collect_static()
                share_static()
        except OperationalError as error:
            give_up(f"The database does not answer: {str(error).strip().splitlines()[0]}.")
