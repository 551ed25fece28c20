#!/usr/bin/env python
"""The studio's command line: every management command starts here."""

import os
import sys


def main() -> None:
    """Run one management command; a settings error is one sentence and exit status 1, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "macai.settings")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415  # after the variable it depends on
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"macai: {error}")


if __name__ == "__main__":
    main()
