"""The console door to backups: which there are, how old and how large, whether they were verified; and one more now."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from backups import services
from backups.models import Backup, State
from jobs.admin import ReadOnlyAdmin

PILLS = {State.RUNNING: "running", State.DONE: "done", State.FAILED: "failed"}


@admin.register(Backup)
class BackupAdmin(ReadOnlyAdmin):
    """Backups, the newest first."""

    list_display = ["started_at", "result", "size", "new", "files", "took", "verified_at"]
    fields = [
        "name", "result", "message", "started_at", "finished_at", "took", "rows", "files", "missing", "size", "new",
        "is_encrypted", "verified_at", "verify_failed_at", "verify_message",
    ]  # fmt: skip
    actions = ["verify"]
    change_list_template = "admin/backups.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the button."""
        make = self.admin_site.admin_view(require_POST(self.make))
        return [path("make/", make, name="backups_backup_make"), *super().get_urls()]

    def make(self, request: HttpRequest) -> HttpResponse:
        """Have a backup made."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        services.back_up_now()
        self.message_user(request, gettext("A worker makes a backup now. It is in the list when it has begun."))
        return redirect("admin:backups_backup_changelist")

    @admin.action(description=_("Verify"), permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[Backup]) -> None:
        """Have backups verified, one after the other."""
        names = list(queryset.exclude(name="").values_list("name", flat=True))
        for name in names:
            services.verify_now(name)
        if names:
            self.message_user(request, gettext("A worker verifies now. It takes as long as reading everything."))
        else:
            self.message_user(request, gettext("There is nothing in these to verify."), messages.WARNING)

    @admin.display(description=_("result"), ordering="state")
    def result(self, backup: Backup) -> str:
        """Return how it stands as a pill."""
        label = backup.get_state_display()
        return render_to_string("components/pill.html", {"kind": PILLS[State(backup.state)], "label": label})

    @admin.display(description=_("size"))
    def size(self, backup: Backup) -> str:
        """Return how much it holds."""
        return filesizeformat(backup.media_bytes + backup.database_bytes)

    @admin.display(description=_("new"))
    def new(self, backup: Backup) -> str:
        """Return how much it added to the folder."""
        return filesizeformat(backup.new_bytes)

    @admin.display(description=_("took"))
    def took(self, backup: Backup) -> timedelta | None:
        """Return how long it took, in whole seconds."""
        return timedelta(seconds=round(backup.duration.total_seconds())) if backup.duration else None

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions; deleting is the retention's business."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}
