"""The pages of the chat: the list of conversations, and what is done with a whole conversation."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.preferences import items_per_page, preferred_model
from chat import keeping, offers
from chat.examples import EXAMPLES
from chat.filters import ORDERING_LABELS, ConversationFilter
from chat.forms import ComposerForm, TitleForm
from chat.models import Conversation, SystemPreset
from chat.rendering import find, render_conversation
from library.paging import page_of
from library.trash import KEPT_FOR, with_undo

# --- The list -------------------------------------------------------------------------------------------------------


@require_GET
def conversation_list(request: HttpRequest) -> HttpResponse:
    """Show the composer for a new conversation, and those that there are: searched, filtered and paged."""
    preset = SystemPreset.objects.filter(name=request.GET["preset"]).first() if "preset" in request.GET else None
    liked = preferred_model(request, "chat")
    initial = {"text": request.GET.get("text", ""), "preset": preset, "model": liked}
    return render_list(request, ComposerForm(initial=initial))


def render_list(request: HttpRequest, form: ComposerForm) -> HttpResponse:
    """Show the list with the composer as it is."""
    data = request.GET.copy()
    data.setdefault("archived", "false")
    if data.get("trashed") == "true":
        data["archived"] = ""
    filters = ConversationFilter(data, queryset=Conversation.objects.select_related("preset"))
    context = {
        "form": form,
        "offer": offers.remembered(),
        "page_obj": page_of(filters.qs, request.GET.get("page", ""), size=items_per_page(request)),
        "is_filtered": any(request.GET.get(name) for name in ("q", "archived", "trashed")),
        "is_trash": data.get("trashed") == "true",
        "is_archive": data.get("archived") == "true",
        "orderings": ORDERING_LABELS,
        "ordering": request.GET.get("ordering", ""),
        "days": KEPT_FOR.days,
        "examples": EXAMPLES,
    }
    return render(request, "chat/list.html", context, status=422 if form.errors else 200)


@require_GET
def models(request: HttpRequest) -> HttpResponse:
    """Show the models to choose from, asked of Ollama now: a piece of a page, fetched when the page is there."""
    context = {"offer": offers.look(), "chosen": request.GET.get("model", ""), "is_fresh": True}
    return render(request, "chat/_models.html", context)


# --- A conversation -------------------------------------------------------------------------------------------------


@require_GET
def conversation(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a conversation: the end of its branch, or up to the message `until`."""
    return render_conversation(request, find(pk))


@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Give a conversation another title."""
    found = find(pk)
    form = TitleForm(request.POST if request.method == "POST" else None, initial={"title": found.title})
    if form.is_valid():
        try:
            keeping.rename(found, form.cleaned_data["title"])
        except ValidationError as error:
            form.add_error("title", error.messages)
        else:
            return redirect(found)
    context = {"conversation": found, "form": form}
    return render(request, "chat/rename.html", context, status=422 if form.errors else 200)


@require_POST
def archive(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a conversation aside."""
    keeping.archive(find(pk))
    messages.success(request, _("Archived. It stands under “Archived” and is found by the search there."))
    return redirect("chat:list")


@require_POST
def unarchive(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a conversation back among the current ones."""
    found = find(pk)
    keeping.unarchive(found)
    messages.success(request, _("It is among the current conversations again."))
    return redirect(found)


@require_POST
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Move a conversation to the trash."""
    if keeping.delete(Conversation.objects.filter(pk=find(pk).pk)):
        text = _("The conversation was moved to the trash for %(days)d days.") % {"days": KEPT_FOR.days}
        messages.success(request, with_undo(text, f"{reverse('chat:list')}?trashed=true"))
    return redirect("chat:list")


@require_POST
def restore(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a conversation out of the trash."""
    found = find(pk)
    if keeping.restore(Conversation.objects.filter(pk=found.pk)):
        messages.success(request, _("The conversation is back."))
    return redirect(found)


@require_GET
def export(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Send the branch that is shown as a Markdown file."""
    found = find(pk)
    header = content_disposition_header(as_attachment=True, filename=keeping.file_name(found))
    parts = [*keeping.export(found)]  # read now: a stream holds no database connection
    return StreamingHttpResponse(
        parts, content_type="text/markdown; charset=utf-8", headers={"Content-Disposition": header or "attachment"}
    )
