"""What every page of the frame shows: the navigation, the running jobs, the month's spending, the mock ribbon."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jobs.kinds import KINDS
from jobs.spending import month_start, spent_since
from macai import pulse


@dataclass(frozen=True)
class NavItem:
    """A line of the navigation. A line whose page does not exist is left out."""

    label: str | Promise
    icon: str  # a heroicon
    url_name: str
    key: str = ""  # "g" and this letter lead there
    covers: tuple[str, ...] = ()  # names of other pages under which this line is the current one
    in_bottom_bar: bool = False  # stays visible on a phone: five at most, the rest is under "More"
    is_create: bool = False  # "n" leads there
    is_boosted: bool = True  # False for pages with a frame of their own
    counts_jobs: bool = False
    staff_only: bool = False


NAV = (
    NavItem(_("Home"), "home", "home", key="h", in_bottom_bar=True),
    NavItem(
        _("Chat"),
        "chat-bubble-left-right",
        "chat:list",
        key="c",
        covers=("chat:conversation", "chat:edit", "chat:rename"),
        in_bottom_bar=True,
    ),
    NavItem(_("Songs"), "musical-note", "songs:create", key="s", in_bottom_bar=True, is_create=True),
    NavItem(
        _("Images"),
        "photo",
        "images:list",
        key="i",
        covers=("images:detail", "images:set", "images:create", "images:trash"),
        in_bottom_bar=True,
    ),
    NavItem(
        _("Library"),
        "rectangle-stack",
        "songs:list",
        key="l",
        covers=("songs:detail", "songs:trash"),
        in_bottom_bar=True,
    ),
    NavItem(
        _("Templates"),
        "document-text",
        "prompts:list",
        key="t",
        covers=tuple(
            f"prompts:{page}" for page in ("detail", "create", "edit", "compare", "delete", "bench", "import")
        ),
    ),
    NavItem(_("Jobs"), "queue-list", "jobs", key="j", counts_jobs=True),
    NavItem(_("Mureka account"), "credit-card", "songs:account", key="m"),
    NavItem(
        _("Profile"), "user-circle", "accounts:profile", key="p", covers=("accounts:password", "accounts:token-create")
    ),
    NavItem(_("Status"), "heart", "status", key="u"),
    NavItem(_("Settings"), "cog-6-tooth", "settings", key="e"),
    NavItem(_("Admin"), "wrench-screwdriver", "admin:index", key="a", is_boosted=False, staff_only=True),
)


@dataclass(frozen=True)
class NavLink:
    """A line of the navigation as one page shows it."""

    item: NavItem
    url: str
    is_current: bool
    count: int

    def __getattr__(self, name: str) -> Any:
        """Let templates read label, icon and key as if they were here."""
        return getattr(self.item, name)


class Studio:
    """The frame's values. Each is worked out when a template asks for it: the admin and the errors never do."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def nav(self) -> list[NavLink]:
        """The navigation for the person signed in."""
        match = self.request.resolver_match
        here = match.view_name if match else ""
        is_staff = bool(getattr(self.request.user, "is_staff", False))
        return [
            NavLink(item, url, here in {item.url_name, *item.covers}, self.running if item.counts_jobs else 0)
            for item in NAV
            if (url := address(item.url_name)) and (is_staff or not item.staff_only)
        ]

    @cached_property
    def running(self) -> int:
        """How many jobs still want something done."""
        return sum(kind.rows.active().count() for kind in KINDS.values())

    @cached_property
    def spent_this_month(self) -> Decimal:
        """What jobs of this calendar month cost, or may have cost, by our price list, in US dollars."""
        return spent_since(month_start()).total

    @cached_property
    def mocks(self) -> list[str]:
        """Names of the services that are imitated."""
        return [provider.name for provider in pulse.providers() if provider.is_mock]


def address(url_name: str) -> str:
    """Return where a page is, or "" while it does not exist."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def studio(request: HttpRequest) -> dict[str, Any]:
    """Values for the frame."""
    return {"studio": Studio(request)}
