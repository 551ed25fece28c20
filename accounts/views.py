"""Sign-in, first visit, profile, password and tokens, as pages."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.forms import OwnerForm, ProfileForm, SignInForm, TokenForm
from accounts.models import AccessToken, User


@method_decorator(login_not_required, name="dispatch")
class SignIn(auth_views.LoginView):
    """Sign-in. While nobody has an account, it leads to the first visit."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Send the first visitor to where the owner's account is made."""
        if not services.studio_has_owner():
            return redirect("accounts:first-visit")
        return super().dispatch(request, *args, **kwargs)

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Answer 422, as every form of the studio does."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SignOut(auth_views.LogoutView):
    """Sign-out, by POST only."""


class ChangePassword(auth_views.PasswordChangeView):
    """A new password; the person stays signed in here, and is signed out everywhere else."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:profile")

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Save, keep this session, and say so."""
        messages.success(self.request, _("Password changed."))
        return super().form_valid(form)  # type: ignore[arg-type]  # the stubs know one form class only

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Answer 422, as every form of the studio does."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def first_visit(request: HttpRequest) -> HttpResponse:
    """Create the owner's account while nobody has one, and sign the owner in."""
    if services.studio_has_owner():
        return redirect("home")
    form = OwnerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            owner = services.create_owner(username=data["username"], password=data["password"], email=data["email"])
        except services.OwnerExistsError:
            messages.warning(request, _("Somebody else was faster: the studio has an owner now. Sign in."))
            return redirect("accounts:sign-in")
        except ValidationError as error:
            form.add_error(None, error)
        else:
            login(request, owner, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("home")
    return render(request, "accounts/first_visit.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, address, password and API tokens of the person signed in."""
    user = _signed_in(request)
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:profile")
    return _profile_page(request, status=422 if form.errors else 200, form=form)


@never_cache
@require_http_methods(["GET", "POST"])
def create_token(request: HttpRequest) -> HttpResponse:
    """Issue a token and show it in this one answer; it is kept nowhere, so there is no redirect."""
    if request.method == "GET":
        return redirect("accounts:profile")
    token_form = TokenForm(request.POST)
    if not token_form.is_valid():
        return _profile_page(request, status=422, token_form=token_form)
    token, text = services.issue_token(user=_signed_in(request), name=token_form.cleaned_data["name"])
    return _profile_page(request, status=201, new_token=token, new_token_text=text)


@require_POST
def revoke_token(request: HttpRequest, token_key: str) -> HttpResponse:
    """Revoke one of the person's own tokens."""
    token = get_object_or_404(AccessToken, user=_signed_in(request), token_key=token_key)
    services.revoke_token(token)
    messages.success(request, _("Token “%(name)s” revoked.") % {"name": token.name})
    return redirect("accounts:profile")


def _profile_page(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    user = _signed_in(request)
    context = {
        "form": ProfileForm(instance=user),
        "token_form": TokenForm(initial={"name": ""}),
        "tokens": AccessToken.objects.filter(user=user),
    } | context
    return render(request, "accounts/profile.html", context, status=status)


def _signed_in(request: HttpRequest) -> User:
    """Return the person signed in; LoginRequiredMiddleware lets nobody else come here."""
    if not isinstance(request.user, User):
        raise TypeError("This view must not be marked with login_not_required.")
    return request.user
