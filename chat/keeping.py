"""What is done with conversations that exist: renamed, put aside, forked, exported, moved to the trash, taken back."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator, slugify
from django.utils.translation import gettext as _

from accounts.models import User
from chat import branches
from chat.models import TITLE_LIMIT, Conversation, Message, State
from library.texts import check_text

PURGE_AT_MOST = 100  # conversations at a time
COPIED = (
    "role", "depth", "text", "thinking", "html", "html_version", "model", "state", "error_message", "prompt_tokens",
    "tokens", "tokens_per_second", "seconds", "context_tokens", "left_out", "created_at",
)  # fmt: skip


def rename(conversation: Conversation, title: str) -> None:
    """Give a conversation another title. Raises ValidationError by field."""
    problems: dict[str, str] = {}
    check_text(problems, "title", title, TITLE_LIMIT, missing=_("A conversation needs a title."))
    if problems:
        raise ValidationError(dict(problems))
    conversation.title = " ".join(title.split())
    Conversation.objects.filter(pk=conversation.pk).update(title=conversation.title)


def archive(conversation: Conversation) -> None:
    """Put a conversation aside: it is found, but not in the way."""
    set_aside(conversation, is_archived=True)


def unarchive(conversation: Conversation) -> None:
    """Take a conversation back among the current ones."""
    set_aside(conversation, is_archived=False)


def set_aside(conversation: Conversation, *, is_archived: bool) -> None:
    """Archive or not; one that is so already stays as it is."""
    if conversation.is_archived != is_archived:
        conversation.archived_at = timezone.now() if is_archived else None
        Conversation.objects.filter(pk=conversation.pk).update(archived_at=conversation.archived_at)


def delete(conversations: QuerySet[Conversation]) -> int:
    """Move conversations to the trash, and empty it of what has lain there for long enough. Return how many moved."""
    purge()
    return Conversation.objects.filter(pk__in=conversations.values("pk")).throw_away()


def restore(conversations: QuerySet[Conversation]) -> int:
    """Take conversations out of the trash. Return how many were there."""
    return Conversation.objects.filter(pk__in=conversations.values("pk")).take_back()


def purge() -> int:
    """Delete for good what has lain in the trash for 30 days. Return how many rows went."""
    old = Conversation.objects.worn_out(timezone.now()).order_by("deleted_at").values_list("pk", flat=True)
    return Conversation.objects.filter(pk__in=[*old[:PURGE_AT_MOST]]).delete()[0]


def fork(message: Message, *, user: User | None) -> Conversation:
    """Copy the branch up to a message into a conversation of its own, to go on elsewhere from there."""
    origin = message.conversation
    branch = branches.whole_branch(message.pk)
    title = Truncator(_("%(title)s (fork)") % {"title": origin.display_title}).chars(TITLE_LIMIT)
    with transaction.atomic():
        fork = Conversation.objects.create(title=title, model=origin.model, preset=origin.preset, user=user)
        copies: list[Message] = []
        for position, original in enumerate(branch, start=1):
            values = {name: getattr(original, name) for name in COPIED}
            if original.is_being_written:
                values["state"] = State.STOPPED  # what is written from now on goes to the original
            parent = copies[-1] if copies else None
            copies.append(Message(conversation=fork, parent=parent, position=position, **values))
        Message.objects.bulk_create(copies)
        fork.leaf, fork.last_position = copies[-1], len(copies)
        fork.save(update_fields=["leaf", "last_position"])
    return fork


def export(conversation: Conversation) -> Iterator[str]:
    """Yield the branch that is shown as Markdown, message by message."""
    begun = date_format(timezone.localtime(conversation.created_at), "j F Y, H:i")
    yield f"# {conversation.display_title}\n\n*{begun}*\n"
    if conversation.preset:
        yield _("\n*Preset: %(name)s*\n") % {"name": conversation.preset}
    for message in branches.whole_branch(conversation.leaf_id):
        speaker = _("You") if message.is_question else message.model or _("Model")
        yield f"\n## {speaker}\n\n{message.text.strip()}\n"
        if message.state not in {State.DONE, State.WRITING}:
            yield f"\n*{message.get_state_display()}*\n"


def file_name(conversation: Conversation) -> str:
    """Return what an export is to be called."""
    return f"{slugify(conversation.title)[:60] or 'conversation'}.md"
