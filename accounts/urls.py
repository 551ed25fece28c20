"""Addresses of the accounts pages."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("first-visit/", views.first_visit, name="first-visit"),
    path("account/", views.profile, name="profile"),
    path("account/password/", views.ChangePassword.as_view(), name="password"),
    path("account/tokens/", views.create_token, name="token-create"),
    path("account/tokens/<str:token_key>/revoke/", views.revoke_token, name="token-revoke"),
]
