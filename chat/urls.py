"""The addresses of the chat's pages. What ends in stream/ is for a script that reads an answer as it is written."""

from django.urls import path

from chat import message_views, views

app_name = "chat"
STREAMED = {"is_streamed": True}
urlpatterns = [
    path("chat/", views.conversation_list, name="list"),
    path("chat/models/", views.models, name="models"),
    path("chat/begin/", message_views.begin, name="begin"),
    path("chat/begin/stream/", message_views.begin, STREAMED, name="begin-stream"),
    path("chat/<uuid:pk>/", views.conversation, name="conversation"),
    path("chat/<uuid:pk>/send/", message_views.send, name="send"),
    path("chat/<uuid:pk>/send/stream/", message_views.send, STREAMED, name="send-stream"),
    path("chat/<uuid:pk>/rename/", views.rename, name="rename"),
    path("chat/<uuid:pk>/archive/", views.archive, name="archive"),
    path("chat/<uuid:pk>/unarchive/", views.unarchive, name="unarchive"),
    path("chat/<uuid:pk>/delete/", views.delete, name="delete"),
    path("chat/<uuid:pk>/restore/", views.restore, name="restore"),
    path("chat/<uuid:pk>/export/", views.export, name="export"),
    path("chat/messages/<uuid:pk>/", message_views.message, name="message"),
    path("chat/messages/<uuid:pk>/stream/", message_views.live, name="live"),
    path("chat/messages/<uuid:pk>/text/", message_views.text, name="text"),
    path("chat/messages/<uuid:pk>/stop/", message_views.stop, name="stop"),
    path("chat/messages/<uuid:pk>/regenerate/", message_views.regenerate, name="regenerate"),
    path("chat/messages/<uuid:pk>/regenerate/stream/", message_views.regenerate, STREAMED, name="regenerate-stream"),
    path("chat/messages/<uuid:pk>/edit/", message_views.edit, name="edit"),
    path("chat/messages/<uuid:pk>/edit/stream/", message_views.edit, STREAMED, name="edit-stream"),
    path("chat/messages/<uuid:pk>/choose/", message_views.choose, name="choose"),
    path("chat/messages/<uuid:pk>/fork/", message_views.fork, name="fork"),
    path("chat/messages/<uuid:pk>/use/<str:target>/", message_views.use, name="use"),
]
