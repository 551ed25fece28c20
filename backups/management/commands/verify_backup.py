"""`manage.py verify_backup`: restore a backup into a scratch database, compare, and forget it."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups.errors import BackupError
from backups.launching import end_with_the_studio
from backups.making import store_in_use
from backups.sources import find_source
from backups.verifying import verify


class Command(BaseCommand):
    """Verify one backup."""

    help = "Verifies a backup: the newest in BACKUP_DIR, one of that folder by its name, or an archive by its path."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("backup", nargs="?", default="", help="a name in BACKUP_DIR, or the path of an archive")
        parser.add_argument("--unsigned", action="store_true", help="accept a backup made under another SECRET_KEY")
        parser.add_argument("--identity", default="", metavar="FILE", help="the age key, if it is encrypted")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify it, and say what was found."""
        os.nice(10)  # the studio goes first
        end_with_the_studio()
        try:
            source = find_source(store_in_use(), options["backup"])
            found = verify(
                source, is_signed=not options["unsigned"], identity=options["identity"], tell=self.stdout.write
            )
        except BackupError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{found.name}: {found.message} {found.rows:,} rows, {found.files:,} files.")
