"""The addresses of the pictures' pages."""

from django.urls import path

from images import gallery_views, picture_views, set_views, views

app_name = "images"
urlpatterns = [
    path("images/", gallery_views.image_list, name="list"),
    path("images/bulk/", gallery_views.bulk, name="bulk"),
    path("images/zip/", gallery_views.download_zip, name="zip"),
    path("images/trash/", gallery_views.trash, name="trash"),
    path("images/new/", views.create, name="create"),
    path("images/new/card/", views.request_card, name="request"),
    path("images/uploads/", views.upload, name="upload"),
    path("images/uploads/<str:token>/", views.reference, name="reference"),
    path("images/files/<str:filename>", picture_views.file, name="file"),
    path("images/sets/<uuid:pk>/", set_views.image_set, name="set"),
    path("images/sets/<uuid:pk>/card/", set_views.card, name="card"),
    path("images/sets/<uuid:pk>/preview.webp", set_views.preview, name="preview"),
    path("images/sets/<uuid:pk>/cancel/", set_views.cancel, name="cancel"),
    path("images/sets/<uuid:pk>/submit-again/", set_views.submit_again, name="submit-again"),
    path("images/<uuid:pk>/", picture_views.detail, name="detail"),
    path("images/<uuid:pk>/thumb-<int:side>.webp", picture_views.thumb, name="thumb"),
    path("images/<uuid:pk>/edit/", picture_views.edit, name="edit"),
    path("images/<uuid:pk>/rating/", picture_views.rate, name="rate"),
    path("images/<uuid:pk>/delete/", picture_views.delete, name="delete"),
    path("images/<uuid:pk>/restore/", picture_views.restore, name="restore"),
]
