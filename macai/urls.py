"""Every address of the studio."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from macai import job_views, metrics, ollama_views, settings_views, status, views

handler500 = "macai.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("jobs/", job_views.jobs, name="jobs"),
    path("status/", status.status, name="status"),
    path("status/checks/", status.status_checks, name="status-checks"),
    path("metrics", metrics.metrics, name="metrics"),
    path("ollama/", ollama_views.banner, name="ollama-banner"),
    path("settings/", settings_views.settings_page, name="settings"),
    path("settings/ollama/", settings_views.ollama_check, name="settings-ollama"),
    path("settings/models/", settings_views.ollama_models, name="settings-models"),
    path("", include("accounts.urls")),
    path("", include("songs.urls")),
    path("", include("images.urls")),
    path("", include("chat.urls")),
    path("", include("prompts.urls")),
    path("api/", include("macai.api")),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
]
if settings.MOCKAPI_ENABLED:
    urlpatterns.append(path("", include("mockapi.urls")))
