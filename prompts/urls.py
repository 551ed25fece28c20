"""Addresses of the templates and the magic functions."""

from django.urls import path

from prompts import magic_views, vocabulary_views

app_name = "prompts"

urlpatterns = [
    path("magic/", magic_views.magic, name="magic"),
    path("magic/menu/", magic_views.menu, name="magic-menu"),
    path("magic/<uuid:pk>/", magic_views.magic_run, name="magic-run"),
    path("magic/<uuid:pk>/stop/", magic_views.magic_stop, name="magic-stop"),
    path("prompts/styles/", vocabulary_views.style_chooser, name="style-chooser"),
]
