"""Addresses of the templates and the magic functions."""

from django.urls import URLPattern

app_name = "prompts"

urlpatterns: list[URLPattern] = []
