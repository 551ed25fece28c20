"""How a conversation and its messages are shown: whole, as a fragment, or as the first line of a stream."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse

from chat import offers, showing
from chat.forms import ComposerForm, TalkForm
from chat.models import Conversation, Message
from chat.services import Exchange
from chat.showing import Entry
from jobs.pages import uuid_or_404
from prompts import wire
from prompts.writing import Ended, Writing


def find(pk: uuid.UUID) -> Conversation:
    """Return a conversation, or answer that there is none."""
    found: Conversation = get_object_or_404(Conversation.objects.select_related("preset"), pk=pk)
    return found


def find_message(pk: uuid.UUID) -> Message:
    """Return a message with its conversation, or answer that there is none."""
    found: Message = get_object_or_404(Message.objects.select_related("conversation__preset", "parent"), pk=pk)
    return found


# --- Whole ----------------------------------------------------------------------------------------------------------


def render_conversation(request: HttpRequest, found: Conversation, form: ComposerForm | None = None) -> HttpResponse:
    """Render a conversation's page, with the composer empty or as it was sent."""
    until = request.GET.get("until", "")
    end = uuid_or_404(until) if until else None
    if end is not None and not found.messages.filter(pk=end).exists():
        raise Http404
    context = context_of(found, showing.entries_at(found, end), form) | {"is_past": end is not None}
    return render(request, "chat/conversation.html", context, status=422 if form and form.errors else 200)


def context_of(found: Conversation, entries: list[Entry], form: ComposerForm | None = None) -> dict[str, Any]:
    """Return what the page of a conversation shows."""
    oldest = entries[0].message if entries else None
    initial = {"model": found.model, "preset": found.preset_id, "after": found.leaf_id}
    return {
        "conversation": found,
        "entries": entries,
        "earlier": oldest.parent_id if oldest else None,
        "left_before": oldest.depth - 1 if oldest else 0,
        "form": form or ComposerForm(initial=initial),
        "offer": offers.remembered(),
    }


# --- What is being written ------------------------------------------------------------------------------------------


def streamed(
    request: HttpRequest, exchange: Exchange, new: list[Message], *, instead_of: uuid.UUID | None = None
) -> HttpResponseBase:
    """Answer a script with the answer as it is written; the first line brings the new messages as HTML.

    `instead_of` is the message that, with all that follows it, makes room for them.
    """
    context = {"entries": showing.entries_of(new, is_streamed=True)}
    first = {
        "html": render_to_string("chat/_entries.html", context, request),
        "instead_of": element_id(instead_of) if instead_of else "",
        **addresses(exchange),
    }
    return wire.stream(exchange.writing, form="ndjson", first=first, last=last_line)


def streamed_page(request: HttpRequest, exchange: Exchange) -> HttpResponseBase:
    """Answer a script that began a conversation with its page, and the answer as it is written."""
    entries = showing.entries_of([exchange.question, exchange.answer], is_streamed=True)
    html = render_to_string("chat/_conversation.html", context_of(exchange.conversation, entries), request)
    first = {"page": html, "title": exchange.conversation.display_title, **addresses(exchange)}
    return wire.stream(exchange.writing, form="ndjson", first=first, last=last_line)


def rejoined(request: HttpRequest, answer: Message, writing: Writing) -> HttpResponseBase:
    """Answer a script that came back to an answer: the first line brings it as HTML without a word, then come all."""
    answer.text = answer.thinking = ""
    context = {"entries": showing.entries_of([answer], is_streamed=True)}
    first = {"html": render_to_string("chat/_entries.html", context, request), **place_of(answer)}
    return wire.stream(writing, form="ndjson", first=first, last=last_line)


def addresses(exchange: Exchange) -> dict[str, str]:
    """Return where a script finds what it needs."""
    answer = exchange.answer
    return {"url": exchange.conversation.get_absolute_url(), "answer": str(answer.pk), **place_of(answer)}


def place_of(answer: Message) -> dict[str, str]:
    """Return where an answer stands on its page, and where it is shown as it is."""
    return {"element": element_id(answer.pk), "card": reverse("chat:message", args=[answer.pk])}


def last_line(ended: Ended) -> dict[str, str]:
    """Return the last line of a stream."""
    return {"ended": ended.outcome}


def element_id(message: uuid.UUID) -> str:
    """Return the id that a message has on a page."""
    return f"m-{message}"


def page_at(message: Message) -> HttpResponse:
    """Lead to a message on its conversation's page."""
    return redirect(f"{reverse('chat:conversation', args=[message.conversation_id])}#{element_id(message.pk)}")


def refused(form: TalkForm) -> JsonResponse:
    """Tell a script what is wrong with what it sent, sentence by sentence."""
    return JsonResponse({"problems": [text for texts in form.errors.values() for text in texts]}, status=422)
