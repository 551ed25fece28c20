"""The console door to jobs: the base for every kind of job, the accounts, the leases and Django-Q's own tables."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q import admin as queue_admin
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule

from jobs import services, tasks
from jobs.kinds import ACCOUNT_READERS
from jobs.models import ACTIVE, Charge, Job, Lease, Phase, ProviderAccount, Status
from jobs.services import JobError
from jobs.spending import dollars

COUNT_AT_MOST = 10_000  # rows; further back, search and filters lead to a job
ACT_ON_AT_MOST = 100  # jobs; an action that may spend money shows each of them
TITLES_AT_MOST = 5  # in one message
MOST_AT_ONCE = 1000  # jobs that an owner may let a provider do at once

PILLS: dict[str, str] = {
    Status.SUCCESS: "done",
    Status.FAILURE: "failed",
    Status.CANCELLED: "cancelled",
    Phase.WAITING: "waiting",
    Phase.SUBMITTING: "running",
    Phase.RUNNING: "running",
    Phase.SAVING: "saving",
    Phase.UNCERTAIN: "uncertain",
}


def pill_of(status: str, phase: str) -> str:
    """Return how a job stands as a pill: what it does while it is active, else how it ended."""
    if status in ACTIVE or phase == Phase.UNCERTAIN:
        word, label = phase, Phase(phase).label
    else:
        word, label = status, Status(status).label
    return render_to_string("components/pill.html", {"kind": PILLS[word], "label": label})


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic for the stubs only
    """Counts no further than the bound: a list of 100,000 rows must not be walked to draw one page of it."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, or the bound."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNT_AT_MOST].count())


class LightChangeList(ChangeList):
    """A list whose rows are as light as its admin's `for_list` makes them."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Return the rows of the list."""
        rows: QuerySet[Any] = self.model_admin.for_list(super().get_queryset(request, exclude_parameters))  # type: ignore[attr-defined]
        return rows

    def get_results(self, request: HttpRequest) -> None:
        """Read the rows of the page. A date in the address that no database can be asked for is a wrong filter."""
        try:
            super().get_results(request)
        except OverflowError as error:
            raise IncorrectLookupParameters(error) from error


class NamedFields:
    """Gives fields a name of their own: in lists and tables they stand without a label."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the form's field, named for who cannot see the table's head."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin
        if field is not None:
            field.widget.attrs["aria-label"] = field.label
        return field


class LargeTableAdmin(NamedFields, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    """A table of any size: one page of its list costs the same at 100,000 rows as at ten."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return rows light enough for a list."""
        return rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that uses `for_list`."""
        return LightChangeList


class JobAdmin(LargeTableAdmin):
    """What the admins of all kinds of jobs share. Nothing here writes a row: the services do."""

    editable: tuple[str, ...] = ()  # what of the kind a person may change
    actions = ["cancel", "submit_again", "ask_again"]
    change_form_template = "admin/job_change_form.html"
    engine_fieldsets: list[Any] = [
        (_("How it stands"), {"fields": ["state", "error_message", "money", "spent", "job_id", "requested_by"]}),
        (_("What happened"), {"fields": ["events"]}),
        (
            _("Times and turns"),
            {
                "classes": ["collapse"],
                "fields": [
                    "created_at", "queued_at", "submitted_at", "next_poll_at", "slot_until", "deadline_at",
                    "cancel_requested_at", "completed_at", "attempts", "problem", "task_id", "progress_info",
                ],
            },
        ),
    ]  # fmt: skip

    # --- The verbs. A kind with services of its own names them here. ---

    def cancel_job(self, job: Any) -> bool:
        """Cancel the job. Raises JobError."""
        return services.cancel_job(job)

    def submit_job_again(self, job: Any) -> None:
        """Have the job submitted once more. Raises JobError."""
        services.submit_again(job)

    def ask_about_job(self, job: Any, job_id: str) -> None:
        """Have the provider asked about the job. Raises JobError."""
        services.ask_again(job, job_id=job_id)

    def price_again(self, job: Any) -> Decimal | None:
        """Return what one more submission costs in US dollars; None if it cannot be made any more."""
        cost: Decimal = job.cost
        return cost

    # --- Lists and pages ---

    def for_list(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return rows light enough for a list."""
        return rows.defer("error_detail", "progress_info")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Forbid everything but the few fields that are a person's."""
        return [name for name in flatten_fieldsets(self.get_fieldsets(request, obj)) if name not in self.editable]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid: a job is asked for on a page or by the API, where its price is named."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid: a job is what was paid for."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the job; without a Save button where nothing can be changed."""
        context = extra_context or {}
        if not self.editable:
            context |= {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write nothing: a whole row written back would undo what a worker wrote meanwhile."""

    @admin.display(description=_("state"), ordering="status")
    def state(self, job: Job) -> str:
        """Return how the job stands."""
        return pill_of(job.status, job.phase)

    @admin.display(description=_("cost"), ordering="cost")
    def money(self, job: Job) -> str:
        """Return the price, and whether it was charged."""
        return format_html('{} <span class="quiet charge">{}</span>', dollars(job.cost), job.get_charge_display())

    @admin.display(description=_("spent before"))
    def spent(self, job: Job) -> str:
        """Return what earlier submissions cost."""
        return dollars(job.spent_before)

    @admin.display(description=_("history"))
    def events(self, job: Job) -> str:
        """Return the job's history as a list."""
        lines = [(timezone.localtime(event.at).strftime("%Y-%m-%d %H:%M:%S"), event.text) for event in job.history()]
        return format_html('<ol class="events">{}</ol>', format_html_join("", "<li><time>{}</time> {}</li>", lines))

    # --- Actions ---

    @admin.action(description=_("Cancel"), permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        """Cancel jobs that wait; for those that run, note the wish."""

        def one(job: Any) -> tuple[int, str]:
            if self.cancel_job(job):
                return messages.SUCCESS, gettext("Cancelled. Not charged.")
            return messages.WARNING, gettext("It was submitted already and cannot be stopped, so its result is kept.")

        return self.each(request, queryset, one)

    @admin.action(description=_("Submit again"), permissions=["change"])
    def submit_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        """Have jobs submitted again; with a confirmation that names the sum if any may be paid for twice."""

        def one(job: Any) -> tuple[int, str]:
            self.submit_job_again(job)
            return messages.SUCCESS, gettext("It waits for a turn again.")

        if queryset.filter(charge__in=[Charge.MAYBE, Charge.YES]).exists():
            jobs = [job for job in queryset[: ACT_ON_AT_MOST + 1] if job.can_submit_again]
            prices = {job: self.price_again(job) for job in jobs}
            total = dollars(sum((price for price in prices.values() if price is not None), Decimal(0)))
            # What is confirmed is the sum: should it have changed meanwhile, it is asked for once more.
            if any(job.charge != Charge.NO for job in jobs) and request.POST.get("confirmed") != total:
                return self.confirm(request, prices, total)
        return self.each(request, queryset, one)

    def confirm(self, request: HttpRequest, prices: dict[Any, Decimal | None], total: str) -> HttpResponse:
        """Ask whether jobs are to be paid for once more."""
        paid = sum((job.cost for job in prices if job.charge != Charge.NO), Decimal(0))
        rows = [
            {"job": job, "money": self.money(job), "again": "-" if price is None else dollars(price)}
            for job, price in prices.items()
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Submit again?"),
            "opts": self.opts,
            "rows": rows,
            "total": total,
            "paid": dollars(paid),
            "from_page": "from_page" in request.POST,
        }
        return TemplateResponse(request, "admin/job_submit_again.html", context)

    @admin.action(description=_("Ask the provider again"), permissions=["change"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        """Have the provider asked about jobs now. From the page of one job, its lost job id may be given."""
        job_id = request.POST.get("job_id", "")[:255] if "from_page" in request.POST else ""

        def one(job: Any) -> tuple[int, str]:
            self.ask_about_job(job, job_id)
            return messages.SUCCESS, gettext("It is asked about now.")

        return self.each(request, queryset, one)

    def each(
        self, request: HttpRequest, queryset: QuerySet[Any], verb: Callable[[Any], tuple[int, str]]
    ) -> HttpResponseBase | None:
        """Do `verb` to each job and tell what became of each. It returns a message's level and sentence."""
        jobs = list(queryset[: ACT_ON_AT_MOST + 1])
        if len(jobs) > ACT_ON_AT_MOST:
            text = gettext("Choose at most %(count)d at a time.") % {"count": ACT_ON_AT_MOST}
            self.message_user(request, text, messages.ERROR)
            return None
        told: dict[tuple[int, str], list[str]] = defaultdict(list)
        for job in jobs:
            try:
                level, sentence = verb(job)
                self.log_change(request, job, sentence)
            except JobError as error:
                level, sentence = messages.WARNING, str(error)
            told[level, sentence].append(str(job))
        for (level, sentence), titles in told.items():
            self.message_user(request, f"{listed(titles)}: {sentence}", level)
        if "from_page" in request.POST and len(jobs) == 1:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", jobs[0].pk)
        return None


def listed(titles: list[str]) -> str:
    """Return titles as one text, the first few by name."""
    text = ", ".join(f"“{title}”" for title in titles[:TITLES_AT_MOST])
    rest = len(titles) - TITLES_AT_MOST
    if rest <= 0:
        return text
    return ngettext("%(titles)s and %(count)d more", "%(titles)s and %(count)d more", rest) % {
        "titles": text,
        "count": rest,
    }


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # see LargeTableAdmin
    """Rows that only the studio itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid."""
        return False


@admin.register(ProviderAccount)
class ProviderAccountAdmin(ReadOnlyAdmin):
    """Our accounts, as the providers describe them. What a provider does not say of its limit, the owner does."""

    list_display = ["provider", "limit", "balance_dollars", "spent_dollars", "backoff_until", "checked_at"]
    fields = [
        "provider", "account_id", "concurrent_request_limit", "balance_dollars", "paid_in_dollars", "spent_dollars",
        "backoff_until", "backoff_reason", "strikes", "checked_at", "check_after", "check_error",
    ]  # fmt: skip
    readonly_fields = [str(name) for name in fields if name != "concurrent_request_limit"]
    actions = ["read_figures"]

    def has_change_permission(self, request: HttpRequest, obj: ProviderAccount | None = None) -> bool:
        """Allow it where nobody else knows the limit."""
        is_ours = obj is not None and obj.provider not in ACCOUNT_READERS
        return is_ours and admin.ModelAdmin.has_change_permission(self, request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the field of the limit within its bounds."""
        if db_field.name == "concurrent_request_limit":
            kwargs |= {"min_value": 1, "max_value": MOST_AT_ONCE}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool) -> None:
        """Write the limit alone: the engine writes the other columns, maybe at this moment."""
        obj.save(update_fields=["concurrent_request_limit"])

    @admin.display(description=_("jobs at once"), ordering="concurrent_request_limit")
    def limit(self, account: ProviderAccount) -> int:
        """Return how many jobs the provider lets us run at once."""
        return account.concurrent_request_limit

    @admin.display(description=_("balance"))
    def balance_dollars(self, account: ProviderAccount) -> str | None:
        """Return what is left."""
        return cents(account.balance)

    @admin.display(description=_("paid in"))
    def paid_in_dollars(self, account: ProviderAccount) -> str | None:
        """Return what was ever paid in."""
        return cents(account.total_recharge)

    @admin.display(description=_("spent"))
    def spent_dollars(self, account: ProviderAccount) -> str | None:
        """Return what was ever spent."""
        return cents(account.total_spending)

    @admin.action(description=_("Read the figures now"), permissions=["view"])
    def read_figures(self, request: HttpRequest, queryset: QuerySet[ProviderAccount]) -> None:
        """Have a worker read what the providers say now."""
        for account in queryset:
            if account.provider in ACCOUNT_READERS:
                tasks.enqueue(tasks.read_account, account.provider)
                text, level = gettext("%(provider)s: a worker reads the figures now."), messages.SUCCESS
            else:
                text, level = gettext("%(provider)s: there is nothing to read its figures with."), messages.WARNING
            self.message_user(request, text % {"provider": account.provider}, level)


def cents(amount: int | None) -> str | None:
    """Return US cents as dollars."""
    return None if amount is None else dollars(Decimal(amount) / 100)


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    """Who may do what only one process at a time may do."""

    list_display = ["name", "owner", "until", "beat"]


# Django-Q's own pages. Its tasks carry no paid action, so "Resubmit" is harmless; what it can break is closed.
admin.site.unregister(Schedule)


@admin.register(Schedule)
class ScheduleAdmin(queue_admin.ScheduleAdmin):  # type: ignore[misc]  # no types there
    """One malformed row would stop every other one, so rows are written in code (jobs/schedule.py), not here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only superusers throw a row away; the studio's own come back at the next start."""
        return bool(request.user.is_superuser)


if Conf.ORM:
    admin.site.unregister(OrmQ)

    @admin.register(OrmQ)
    class OrmQAdmin(ReadOnlyAdmin, queue_admin.QueueAdmin):  # type: ignore[misc]  # no types there
        """The tasks that lie in the queue, to look at."""
