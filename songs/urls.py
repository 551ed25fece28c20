"""The addresses of the songs' pages."""

from django.urls import path

from songs import account_views, choice_views, trash_views, views

app_name = "songs"
urlpatterns = [
    path("songs/", views.song_list, name="list"),
    path("songs/new/", views.create, name="create"),
    path("songs/new/card/", views.request_card, name="request"),
    path("songs/bulk-delete/", trash_views.bulk_delete, name="bulk-delete"),
    path("songs/bulk-restore/", trash_views.bulk_restore, name="bulk-restore"),
    path("songs/trash/", trash_views.trash, name="trash"),
    path("songs/account/", account_views.account, name="account"),
    path("songs/<uuid:pk>/", views.song_detail, name="detail"),
    path("songs/<uuid:pk>/card/", views.card, name="card"),
    path("songs/<uuid:pk>/edit/", views.edit, name="edit"),
    path("songs/<uuid:pk>/delete/", trash_views.delete, name="delete"),
    path("songs/<uuid:pk>/restore/", trash_views.restore, name="restore"),
    path("songs/<uuid:pk>/cancel/", views.cancel, name="cancel"),
    path("songs/<uuid:pk>/submit-again/", views.submit_again, name="submit-again"),
    path("songs/<uuid:pk>/refresh/", views.refresh, name="refresh"),
    path("songs/choices/<uuid:pk>/rating/", choice_views.rate, name="rate"),
    path("songs/choices/<uuid:pk>/lyrics/", choice_views.lyrics, name="lyrics"),
    path("songs/choices/<uuid:pk>/files/<slug:kind>/", choice_views.file, name="file"),
    path("songs/choices/<uuid:pk>/stems/", choice_views.stems, name="stems"),
    path("songs/choices/<uuid:pk>/stems/card/", choice_views.stems_card, name="stems-card"),
    path("songs/choices/<uuid:pk>/stems/cancel/", choice_views.stems_cancel, name="stems-cancel"),
    path("songs/choices/<uuid:pk>/stems/submit-again/", choice_views.stems_submit_again, name="stems-submit-again"),
]
