"""The project as a Django app: its commands, checks and admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class MacaiConfig(AppConfig):
    """The wiring: management commands, system checks, templates of the frame."""

    name = "macai"

    def ready(self) -> None:
        """Register the system checks, what a request's line in the log tells, and who keeps watch."""
        from jobs import schedule  # noqa: PLC0415
        from macai import checks, request_lines  # noqa: F401, PLC0415
        from macai.logs import configure_structlog  # noqa: PLC0415

        configure_structlog()
        schedule.register("macai.watch", schedule.Line("macai.watchman.look_from_worker", "I", 1))


class StudioAdminConfig(AdminConfig):
    """Django's admin with our site in place of the default one."""

    default_site = "macai.admin.StudioAdminSite"
