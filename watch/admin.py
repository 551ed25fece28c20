"""The console door to alerts: what is red, since when, who was told; and a button that tries the ways out."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from watch import sending
from watch.models import Alert


@admin.register(Alert)
class AlertAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Alerts, written by the watchman only."""

    list_display = ["check_name", "state", "since", "message", "was_told_red", "told_at", "error"]
    list_filter = ["is_red"]
    change_list_template = "admin/alerts.html"

    @admin.display(description=_("state"), ordering="is_red")
    def state(self, alert: Alert) -> str:
        """Return how it is in a word."""
        return gettext("red") if alert.is_red else gettext("green")

    def get_urls(self) -> list[URLPattern]:
        """Add the button's address."""
        test: list[URLPattern] = [
            path("test/", self.admin_site.admin_view(require_POST(self.send_test)), name="watch_alert_test")
        ]
        return test + list(super().get_urls())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the ways that are set above the list."""
        return super().changelist_view(request, {"ways": sending.ways(), **(extra_context or {})})

    def send_test(self, request: HttpRequest) -> HttpResponse:
        """Send a test message by each way, and say how that went."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        for way, problem in sending.send_test().items():
            told = gettext("The test message went by %(way)s.") % {"way": way}
            self.message_user(request, problem or told, messages.ERROR if problem else messages.SUCCESS)
        return redirect("admin:watch_alert_changelist")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid."""
        return False
