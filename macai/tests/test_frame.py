"""The frame's promises: one heading, no inline script or style, no file that is missing, the navigation as data."""

import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.storage import FileSystemStorage
from django.template.loader import get_template, render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.tests.factories import make_owner, make_user
from jobs.models import Charge
from macai import pulse
from songs.models import Song

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
MODULES = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
SHEETS = sorted((settings.BASE_DIR / "static" / "css").glob("*.css"))
PAGES = [
    "/",
    "/status/",
    "/chat/",
    "/account/",
    "/account/password/",
    "/nothing-here/",
    "/admin/",
    "/admin/accounts/accesstoken/",
]


class Page(HTMLParser):
    """What the promises are about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings = 0
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.headings += tag == "h1"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        data = given.get("type") == "application/json"
        if tag == "style" or (tag == "script" and "src" not in given and not data):
            self.inline.append(tag)
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_heading_and_nothing_inline(client: Client, path: str) -> None:
    client.force_login(make_owner())
    page = Page(client.get(path).content.decode())
    assert page.headings == 1
    assert page.inline == []
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.django_db
def test_the_pages_before_the_sign_in_have_one_heading_and_nothing_inline(client: Client) -> None:
    first = Page(client.get("/first-visit/").content.decode())
    make_user()
    sign_in = Page(client.get("/sign-in/").content.decode())
    for page in (first, sign_in):
        assert (page.headings, page.inline) == (1, [])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_has_anything_inline(path: Path) -> None:
    text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert Page(text).inline == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_template_compiles_and_names_only_static_files_that_exist(path: Path) -> None:
    get_template(str(path.relative_to(settings.BASE_DIR / "templates")))
    for name in re.findall(r"{% static \"(.+?)\" %}", path.read_text(encoding="utf-8")):
        assert finders.find(name), name


def test_every_module_and_sheet_imports_only_files_that_exist() -> None:
    for path in MODULES:
        for name in re.findall(r"from \"(.+?)\"|^import \"(.+?)\"", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert (path.parent / "".join(name)).exists(), f"{path.name}: {name}"
    for path in SHEETS:
        for name in re.findall(r"url\(\"(.+?)\"\)", path.read_text(encoding="utf-8")):
            assert (path.parent / name).exists(), f"{path.name}: {name}"


def test_every_custom_property_is_defined() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SHEETS)
    used = set(re.findall(r"var\((--[\w-]+)", text))
    assert used <= set(re.findall(r"(--[\w-]+):", text))


def test_the_sheets_survive_their_renaming_by_content(tmp_path: Path) -> None:
    storage = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    source = FileSystemStorage(location=settings.BASE_DIR / "static")
    paths = {f"css/{path.name}": (source, f"css/{path.name}") for path in SHEETS}
    for name in paths:
        (tmp_path / "css").mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((settings.BASE_DIR / "static" / name).read_bytes())
    renamed = {name: new for name, new, _done in storage.post_process(paths) if isinstance(new, str)}
    entry = (tmp_path / renamed["css/macai.css"]).read_text(encoding="utf-8")
    assert re.search(r'@import url\("tokens\.[0-9a-f]{12}\.css"\) layer\(tokens\);', entry)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_error_pages_need_nothing_that_may_be_broken(status: int) -> None:
    page = Page(render_to_string(f"{status}.html"))
    assert page.headings == 1
    assert page.inline == []


@pytest.mark.django_db
def test_the_navigation_marks_the_current_page_and_shows_the_admin_to_staff_only(client: Client) -> None:
    client.force_login(make_user())
    html = client.get(reverse("accounts:profile")).content.decode()
    assert re.findall(r'title="([^"]+)" aria-current="page"', html) == ["Profile"]
    assert 'href="/admin/"' not in html
    client.force_login(make_owner(username="owner"))
    assert 'href="/admin/"' in client.get(reverse("accounts:profile")).content.decode()


@pytest.mark.django_db
def test_the_foot_of_the_sidebar_shows_what_this_month_cost(client: Client) -> None:
    client.force_login(make_user())
    for charge, cost in ((Charge.YES, "0.09"), (Charge.MAYBE, "0.10"), (Charge.NO, "5")):
        Song.objects.create(charge=charge, cost=Decimal(cost), submitted_at=timezone.now())
    Song.objects.create(charge=Charge.YES, cost=7, submitted_at=timezone.now() - timedelta(days=32))
    html = client.get(reverse("accounts:profile")).content.decode()
    assert "$0.19" in html


@pytest.mark.django_db
def test_the_ribbon_shows_while_a_service_is_imitated(client: Client, settings: Settings) -> None:
    client.force_login(make_user())
    assert b'class="ribbon"' in client.get(reverse("accounts:profile")).content
    settings.MUREKA_BASE_URL = "https://api.mureka.ai"
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:11434"
    assert b'class="ribbon"' not in client.get(reverse("accounts:profile")).content


@pytest.mark.django_db
def test_a_page_sends_the_strict_policy(client: Client) -> None:
    client.force_login(make_user())
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_the_checklist_says_what_to_do_about_what_is_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(make_user())
    monkeypatch.setattr(pulse, "worker_is_alive", lambda: False)
    monkeypatch.setattr(pulse, "storage_is_writable", lambda: False)
    html = client.get("/").content.decode()
    assert html.count('class="is-missing"') == 2
    assert "Not running, so songs wait." in html
    assert "cannot be written" in html


def test_a_storage_that_cannot_be_written_is_noticed(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    assert pulse.storage_is_writable()
    (tmp_path / "file").write_text("")
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    assert not pulse.storage_is_writable()


def test_a_first_empty_reading_of_the_heartbeat_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[list[str]] = [[], ["alive"]]
    monkeypatch.setattr("macai.pulse.Stat.get_all", lambda: readings.pop(0))
    assert pulse.worker_is_alive()
    readings[:] = [[], []]
    assert not pulse.worker_is_alive()
