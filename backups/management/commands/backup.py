"""`manage.py backup`: keep the database and the files a second time."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from backups.archive import write_archive
from backups.errors import BackupError
from backups.launching import end_with_the_studio
from backups.making import make_backup, store_in_use
from backups.models import Backup


class Command(BaseCommand):
    """Make a backup while the studio runs."""

    help = "Makes a backup of the database and the files into BACKUP_DIR, while the studio runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("--archive", type=Path, metavar="FILE.tar", help="write the backup into one file, too")
        parser.add_argument("--rehash", action="store_true", help="read every file again, whether it changed or not")
        parser.add_argument("--patience", type=float, default=0.0, help="seconds to wait for another backup to end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, and say what it holds."""
        os.nice(10)  # the studio goes first
        end_with_the_studio()
        if options["archive"] is not None and options["archive"].exists():
            raise CommandError(f"{options['archive']} is there already: remove it first.")
        try:
            backup = make_backup(rehash=options["rehash"], patience=options["patience"], tell=self.stdout.write)
            self.stdout.write(summary(backup))
            if options["archive"] is not None:
                size = write_archive(store_in_use(), backup.name, options["archive"])
                self.stdout.write(f"Archive: {options['archive']}, {filesizeformat(size)}.")
        except BackupError as error:
            raise CommandError(error.message) from error


def summary(backup: Backup) -> str:
    """Return what a person at the terminal wants to know."""
    seconds = backup.duration.total_seconds() if backup.duration else 0
    lines = [
        f"{backup.name}: {backup.rows:,} rows, {backup.files:,} files of {filesizeformat(backup.media_bytes)}.",
        f"{filesizeformat(backup.new_bytes)} were new, in {seconds:.1f} s. It lies in {store_in_use().root}.",
        "Encrypted: keep the age key elsewhere, without it nobody can restore." if backup.is_encrypted else "",
        f"SECRET_KEY is not in it: keep {secret_place()} elsewhere. By it a restore knows that nobody changed it.",
        backup.message,
    ]
    return "\n".join(line for line in lines if line)


def secret_place() -> str:
    """Return where SECRET_KEY is kept."""
    path = settings.DATA_DIR / "secret_key"
    is_own = path.exists() and path.read_text(encoding="ascii").strip() == settings.SECRET_KEY
    return str(path) if is_own else "your .env"
