"""Addresses of the templates and the magic functions."""

from django.urls import path

from prompts import vocabulary_views

app_name = "prompts"

urlpatterns = [
    path("prompts/styles/", vocabulary_views.style_chooser, name="style-chooser"),
]
