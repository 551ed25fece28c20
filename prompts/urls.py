"""Addresses of the templates and the magic functions."""

from django.urls import path

from prompts import architect_views, magic_views, plain_views, vocabulary_views

app_name = "prompts"

urlpatterns = [
    path("magic/", magic_views.magic, name="magic"),
    path("magic/menu/", magic_views.menu, name="magic-menu"),
    path("magic/<uuid:pk>/", magic_views.magic_run, name="magic-run"),
    path("magic/<uuid:pk>/stop/", magic_views.magic_stop, name="magic-stop"),
    path("magic/page/", plain_views.magic_page, name="magic-page"),
    path("magic/runs/<uuid:pk>/", plain_views.run_page, name="run"),
    path("magic/runs/<uuid:pk>/stop/", plain_views.stop, name="run-stop"),
    path("magic/runs/<uuid:pk>/use/", plain_views.use, name="run-use"),
    path("prompts/architect/", architect_views.page, name="architect"),
    path("prompts/architect/piece/", architect_views.piece, name="architect-piece"),
    path("prompts/architect/change/", architect_views.change, name="architect-change"),
    path("prompts/architect/write/", architect_views.write, name="architect-write"),
    path("prompts/styles/", vocabulary_views.style_chooser, name="style-chooser"),
]
