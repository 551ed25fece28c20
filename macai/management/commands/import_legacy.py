"""`manage.py import_legacy`: bring over what the earlier system has."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs import tasks as job_tasks
from macai.legacy.people import GUESSES, bring_people, table_of
from macai.legacy.pictures import TABLE as PICTURES
from macai.legacy.pictures import bring_pictures
from macai.legacy.report import Report
from macai.legacy.songs import CHOICES, SONGS, bring_choices, bring_songs
from macai.legacy.source import Source, SourceError, open_source
from macai.legacy.templates import TABLE as TEMPLATES
from macai.legacy.templates import bring_templates

LEFT_BEHIND = 3


class Command(BaseCommand):
    """Read the earlier database and its folder of pictures, and write only what is not here yet."""

    help = (
        "Brings songs, pictures, templates and people over from the earlier system. Run it as often as you like: what "
        "is here already stays as it is. The earlier database is only read. Exit status: 0 everything came over, 1 it "
        f"could not be read, {LEFT_BEHIND} something was left behind (the report says what and why)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Say where the earlier system is."""
        parser.add_argument(
            "--database-url", required=True, help="postgres://user:password@host/name, or an SQLite file"
        )
        parser.add_argument("--images", type=Path, help="the folder with the earlier system's pictures")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
        parser.add_argument("--users-table", default="", help="the table of the people, if it is not found by itself")
        parser.add_argument(
            "--user-columns",
            default="",
            help=f"which column holds what, such as username=login,password=pwd. Known: {', '.join(GUESSES)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring everything over, then report."""
        dry_run, images = options["dry_run"], options["images"]
        columns = self.columns(options["user_columns"])
        if images is not None and not images.is_dir():
            raise CommandError(f"--images {images} is no folder.")
        report = Report()
        try:
            with open_source(options["database_url"]) as source:
                self.must_look_right(source)
                self.bring(source, images, options["users_table"], columns, report, dry_run=dry_run)
        except SourceError as error:
            raise CommandError(str(error)) from None
        self.stdout.write("\n".join(report.lines(dry_run=dry_run)))
        if dry_run:
            self.stdout.write("Nothing was written: this was a dry run.")
        else:
            job_tasks.nudge_if_nobody_follows()
        if not report.is_complete:
            raise SystemExit(LEFT_BEHIND)

    def bring(
        self,
        source: Source,
        images: Path | None,
        users_table: str,
        columns: dict[str, str],
        report: Report,
        *,
        dry_run: bool,
    ) -> None:
        """Bring one kind of thing after the other: people first, for songs say who asked for them."""
        table = table_of(source, users_table)
        if not table:
            self.stderr.write("No table of people was found; name it with --users-table. Nobody comes over.")
        people = bring_people(source, table, columns, report.count("People"), dry_run=dry_run)
        bring_songs(source, people, report.count("Songs"), dry_run=dry_run)
        bring_choices(source, report.count("Variants"), report.count("Links to fetch home"), dry_run=dry_run)
        bring_pictures(source, images, people, report.count("Pictures"), dry_run=dry_run)
        bring_templates(source, report.count("Templates"), dry_run=dry_run)

    def must_look_right(self, source: Source) -> None:
        """Refuse a database that has nothing of the earlier system."""
        if not any(source.columns(table) for table in (SONGS, CHOICES, PICTURES, TEMPLATES)):
            raise SourceError("This is not the earlier system's database: none of its tables is there.")

    def columns(self, text: str) -> dict[str, str]:
        """Read what --user-columns says."""
        pairs = dict(part.partition("=")[::2] for part in text.split(",") if part)
        if unknown := set(pairs) - set(GUESSES):
            raise CommandError(f"--user-columns does not know {', '.join(sorted(unknown))}.")
        return pairs
