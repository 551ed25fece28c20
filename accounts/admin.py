"""People and their tokens in the admin."""

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import services
from accounts.models import AccessToken, FailedSignIn, User
from accounts.preferences import PREFERENCES


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Django's own, for our user, with what the person likes."""

    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), (_("Settings"), {"fields": PREFERENCES}))


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Tokens are issued on the profile page or by the API; here they are seen and revoked."""

    list_display = ["name", "user", "beginning", "created", "last_used_at", "expiry"]
    list_filter = ["user"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    fields = ["name", "user", "beginning", "created", "last_used_at", "expiry"]
    actions = ["revoke"]

    @admin.display(description=_("begins with"))
    def beginning(self, token: AccessToken) -> str:
        """Return the part of a token by which its owner knows it."""
        return f"{token.token_key}..."

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid: a token made here could not be shown to its owner."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        """Forbid: a token is used or revoked, never changed."""
        return False

    @admin.action(description=_("Revoke the selected tokens"), permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        """Make the tokens useless at once."""
        tokens = list(queryset)
        for token in tokens:
            services.revoke_token(token)
        text = ngettext("%(count)d token revoked.", "%(count)d tokens revoked.", len(tokens)) % {"count": len(tokens)}
        self.message_user(request, text, messages.SUCCESS)


@admin.register(FailedSignIn)
class FailedSignInAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Who failed to sign in lately, from where, and who is locked out. Deleting a row unlocks."""

    list_display = ["username", "ip_address", "failures_since_start", "attempt_time", "is_locked"]
    search_fields = ["username", "ip_address"]
    fields = ["username", "ip_address", "failures_since_start", "attempt_time", "is_locked"]
    actions = ["unlock"]

    @admin.display(description=_("locked out"), boolean=True)
    def is_locked(self, row: FailedSignIn) -> bool:
        """Tell whether the name is kept out from there now."""
        return row.is_locked

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid: failures happen."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: FailedSignIn | None = None) -> bool:
        """Forbid: they are forgotten, never changed."""
        return False

    @admin.action(description=_("Unlock: forget the selected failures"), permissions=["delete"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[FailedSignIn]) -> None:
        """Let them try again at once."""
        count = queryset.delete()[0]
        text = ngettext("%(count)d unlocked.", "%(count)d unlocked.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)
