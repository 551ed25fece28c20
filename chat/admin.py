"""The chat in the admin: presets are edited there, conversations can be read and searched, not changed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chat.filters import ConversationFilter
from chat.models import Conversation, Message, SystemPreset
from jobs.admin import LargeTableAdmin, ReadOnlyAdmin
from library.trash_admin import TrashFilter

CONVERSATION_FIELDS = (
    "title", "model", "preset", "user", "created_at", "updated_at", "archived_at", "deleted_at", "page", "said",
)  # fmt: skip
MESSAGE_FIELDS = (
    "conversation", "parent", "position", "role", "model", "state", "error_message", "text", "thinking",
    "prompt_tokens", "tokens", "tokens_per_second", "seconds", "context_tokens", "left_out", "created_at", "updated_at",
)  # fmt: skip


@admin.register(SystemPreset)
class SystemPresetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """Presets, in the order in which they are offered."""

    list_display = ["name", "description", "temperature", "position", "is_active"]
    list_editable = ["position", "is_active"]
    search_fields = ["name", "description", "text"]


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin, LargeTableAdmin):
    """Conversations with what was said in them."""

    list_display = ["display_title", "model", "preset", "user", "updated_at", "archived_at", "deleted_at"]
    list_select_related = ["preset", "user"]
    list_filter = [TrashFilter, "preset", "updated_at"]
    search_fields = ["title"]  # shows the field; messages are searched as well, below
    search_help_text = _("Words in titles and messages.")
    fields = CONVERSATION_FIELDS
    readonly_fields = CONVERSATION_FIELDS

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the pages do."""
        return ConversationFilter().search(queryset, "q", search_term), False

    @admin.display(description=_("Page"))
    def page(self, conversation: Conversation) -> SafeString:
        """Lead to the conversation in the studio."""
        return format_html('<a href="{}">{}</a>', conversation.get_absolute_url(), conversation.display_title)

    @admin.display(description=_("Messages"))
    def said(self, conversation: Conversation) -> SafeString:
        """Lead to what was said, in the order of sending."""
        address = f"../../../message/?conversation__id__exact={conversation.pk}"
        return format_html('<a href="{}">{}</a>', address, _("Show all messages"))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin, LargeTableAdmin):
    """Messages one by one, the latest first."""

    list_display = ["start", "role", "model", "state", "tokens", "tokens_per_second", "seconds", "created_at"]
    list_filter = ["role", "state"]
    list_select_related = ["conversation"]
    search_fields = ["text"]
    ordering = ["-created_at", "-pk"]
    fields = MESSAGE_FIELDS
    readonly_fields = MESSAGE_FIELDS

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the messages of one conversation to be shown."""
        return lookup == "conversation__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description=_("text"))
    def start(self, message: Message) -> str:
        """Show the first words."""
        return message.text[:80] or "-"
