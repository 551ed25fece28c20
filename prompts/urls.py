"""Addresses of the templates and the magic functions."""

from django.urls import path

from prompts import architect_views, bench_views, magic_views, plain_views, views, vocabulary_views

app_name = "prompts"

urlpatterns = [
    path("templates/", views.template_list, name="list"),
    path("templates/new/", views.create, name="create"),
    path("templates/preview/", views.preview, name="preview"),
    path("templates/export/", bench_views.export_all, name="export-all"),
    path("templates/import/", bench_views.import_file, name="import"),
    path("templates/import/take/", bench_views.take_in, name="take-in"),
    path("templates/runs/<uuid:pk>/", bench_views.run_panel, name="run-panel"),
    path("templates/runs/<uuid:pk>/stop/", bench_views.stop_run, name="run-stop"),
    path("templates/<int:pk>/", views.detail, name="detail"),
    path("templates/<int:pk>/edit/", views.edit, name="edit"),
    path("templates/<int:pk>/compare/", views.compare, name="compare"),
    path("templates/<int:pk>/roll-back/", views.roll_back, name="roll-back"),
    path("templates/<int:pk>/use/", views.use, name="use"),
    path("templates/<int:pk>/delete/", views.delete, name="delete"),
    path("templates/<int:pk>/bench/", bench_views.bench, name="bench"),
    path("templates/<int:pk>/export/", bench_views.export_one, name="export"),
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
