"""What is done with messages: sent, stopped, written again, asked again, used elsewhere. A script gets the stream."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat import answering, keeping, rendering, services, showing
from chat.forms import AskAgainForm, ComposerForm
from chat.rendering import find, find_message
from chat.views import render_list
from library import prefill

# Where an answer can be used: the page with the form, and the field that it fills.
USES = {
    "lyrics": ("songs:create", "lyrics"),
    "style": ("songs:create", "prompt"),
    "image": ("images:create", "prompt"),
}

# --- Send -----------------------------------------------------------------------------------------------------------


@require_POST
def begin(request: HttpRequest, *, is_streamed: bool = False) -> HttpResponseBase:
    """Begin a conversation with its first message."""
    form = ComposerForm(request.POST)
    exchange = form.begin(request.user)  # type: ignore[arg-type]  # only signed-in people come here
    if exchange is None:
        return rendering.refused(form) if is_streamed else render_list(request, form)
    return rendering.streamed_page(request, exchange) if is_streamed else redirect(exchange.conversation)


@require_POST
def send(request: HttpRequest, pk: uuid.UUID, *, is_streamed: bool = False) -> HttpResponseBase:
    """Send the next message."""
    conversation, form = find(pk), ComposerForm(request.POST)
    exchange = form.send(conversation)
    if exchange is None:
        return rendering.refused(form) if is_streamed else rendering.render_conversation(request, conversation, form)
    if is_streamed:
        return rendering.streamed(request, exchange, [exchange.question, exchange.answer])
    return rendering.page_at(exchange.answer)


@require_POST
def regenerate(request: HttpRequest, pk: uuid.UUID, *, is_streamed: bool = False) -> HttpResponseBase:
    """Have a question answered anew; the answers that there are stay."""
    old = find_message(pk)
    try:
        exchange = services.regenerate(old)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return rendering.page_at(old)
    if is_streamed:
        return rendering.streamed(request, exchange, [exchange.answer], instead_of=old.pk)
    return rendering.page_at(exchange.answer)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: uuid.UUID, *, is_streamed: bool = False) -> HttpResponseBase:
    """Show a question to be asked in other words (GET), and ask it (POST); the old one stays beside it."""
    question = find_message(pk)
    form = AskAgainForm(request.POST if request.method == "POST" else None, initial={"text": question.text})
    exchange = form.ask(question) if request.method == "POST" else None
    if exchange is None:
        if is_streamed:
            return rendering.refused(form)
        status = 422 if form.errors else 200
        return render(request, "chat/edit.html", {"message": question, "form": form}, status=status)
    if is_streamed:
        return rendering.streamed(request, exchange, [exchange.question, exchange.answer], instead_of=question.pk)
    return rendering.page_at(exchange.answer)


@require_POST
def stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop an answer that is being written; what came of it stays."""
    answer = find_message(pk)
    services.stop(answer)
    return rendering.page_at(answer)


# --- Look -----------------------------------------------------------------------------------------------------------


@never_cache
@require_GET
def message(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one message. An answer asks for itself again while it is being written."""
    return render(request, "chat/_entries.html", {"entries": showing.entries_of([find_message(pk)])})


@never_cache
@require_GET
def live(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Stream an answer from its first word on to whoever comes back to it; 204 if another process writes it."""
    answer, writing = find_message(pk), answering.writing_of(pk)
    return HttpResponse(status=204) if writing is None else rendering.rejoined(request, answer, writing)


@require_GET
def text(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a message as it was written, for copying."""
    return HttpResponse(find_message(pk).text, content_type="text/plain; charset=utf-8")


@require_POST
def choose(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the branch of a message."""
    chosen = find_message(pk)
    services.choose(chosen)
    return rendering.page_at(chosen)


# --- Use ------------------------------------------------------------------------------------------------------------


@require_POST
def fork(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Go on from a message in a conversation of its own."""
    forked = keeping.fork(find_message(pk), user=request.user)  # type: ignore[arg-type]
    messages.success(request, _("This is a copy up to there. The original stays as it is."))
    return redirect(forked)


@require_POST
def use(request: HttpRequest, pk: uuid.UUID, target: str) -> HttpResponse:
    """Open the form of a song or a picture, filled with an answer."""
    answer = find_message(pk)
    if target not in USES:
        raise Http404
    page, field = USES[target]
    try:
        key = prefill.keep(request, {field: answer.text.strip()})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return rendering.page_at(answer)
    return redirect(f"{reverse(page)}?prefill={key}")
