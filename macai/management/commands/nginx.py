"""`manage.py nginx`: write the configuration of an nginx on this machine."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from macai.nginx import render, values


class Command(BaseCommand):
    """Render nginx/templates with this studio's settings; in containers, nginx's own image does it."""

    help = "Writes nginx's configuration for this studio into a folder, such as /etc/nginx/conf.d."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer what differs between machines."""
        parser.add_argument("folder", type=Path, help="nginx's folder conf.d")
        parser.add_argument("--app", action="append", help="host:port of the app; may be given for several")
        parser.add_argument("--http", type=int, default=80)
        parser.add_argument("--https", type=int, default=443)
        parser.add_argument("--certificate", default=str(settings.BASE_DIR / "nginx/certificates/macai.crt"))
        parser.add_argument("--key", default=str(settings.BASE_DIR / "nginx/certificates/macai.key"))
        parser.add_argument("--logs", default="/var/log/nginx")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files and say where."""
        found = values(
            names=[name for name in settings.ALLOWED_HOSTS if not name.startswith("[")],
            apps=options["app"] or [f"127.0.0.1:{settings.PORT}"],
            http=options["http"],
            https=options["https"],
            certificate=options["certificate"],
            key=options["key"],
            logs=options["logs"],
        )
        for path in render(options["folder"], found):
            self.stdout.write(str(path))
