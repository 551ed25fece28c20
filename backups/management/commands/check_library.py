"""`manage.py check_library`: rows without files, files without rows, damaged files."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups.errors import BackupError
from backups.library_check import check_library
from library.storage import StorageAwayError, StorageFullError


class Command(BaseCommand):
    """Look through the library; the exit status is 1 if something is left to do."""

    help = "Finds rows without files, files without rows and damaged files. Deletes nothing, ever."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument(
            "--repair",
            action="store_true",
            help="take files from backups, make small versions again, fetch what still can be fetched; move what "
            "belongs to no row for a day into the quarantine folder of the library",
        )
        parser.add_argument("--quick", action="store_true", help="compare sizes only, read no file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and say what was found."""
        os.nice(10)  # the studio goes first
        try:
            report = check_library(repair=options["repair"], quick=options["quick"], tell=self.stdout.write)
        except (BackupError, StorageAwayError, StorageFullError) as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{report.files:,} files that rows speak of: {report.missing} missing, {report.damaged} damaged. "
            f"{report.orphans} files belong to no row."
        )
        if options["repair"]:
            self.stdout.write(f"{report.repaired} repaired, {report.coming} are fetched again, {report.left} are left.")
        elif not report.is_well:
            self.stdout.write("--repair mends what can be mended, and deletes nothing.")
        if not report.is_well:
            raise SystemExit(1)
