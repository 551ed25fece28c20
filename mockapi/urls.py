"""The mock's addresses, from the site's root: included by the studio, or the whole site when MOCKAPI_ONLY is set."""

from django.urls import include, path, re_path

from mockapi import mureka, ollama, openai

mureka_urls = [
    path("v1/song/generate", mureka.song_generate),
    path("v1/song/query/<str:task_id>", mureka.task_query, {"kind": "song"}),
    path("v1/song/stem", mureka.song_stem),
    path("v1/instrumental/generate", mureka.instrumental_generate),
    path("v1/instrumental/query/<str:task_id>", mureka.task_query, {"kind": "instrumental"}),
    path("v1/lyrics/generate", mureka.lyrics_generate),
    path("v1/lyrics/extend", mureka.lyrics_extend),
    path("v1/account/billing", mureka.billing),
    path("ledger", mureka.ledger),
    re_path(
        r"^files/(?P<kind>song|instrumental)/\d{8}/\d+-(?P<token>[A-Za-z0-9_-]{22})\.(?P<extension>mp3|flac|wav)$",
        mureka.result_file,
    ),
    re_path(
        r"^files/(?P<kind>stem)/\d{8}/\d+-(?P<token>[A-Za-z0-9_-]{22})\.(?P<extension>zip)$",
        mureka.result_file,
    ),
    re_path("", mureka.not_found),
]
openai_urls = [
    path("v1/images/generations", openai.generations),
    path("v1/images/edits", openai.edits),
    path("v1/models", openai.models),
    path("v1/models/<str:name>", openai.model_detail),
    path("ledger", openai.ledger),
    re_path(r"^files/(?P<token>[A-Za-z0-9_-]{22})\.png$", openai.result_file),
    re_path("", openai.not_found),
]
ollama_urls = [
    path("", ollama.root),
    path("api/version", ollama.version),
    path("api/tags", ollama.tags),
    path("api/ps", ollama.ps),
    path("api/show", ollama.show),
    path("api/generate", ollama.generate),
    path("api/chat", ollama.chat),
    re_path("", ollama.not_found),
]
urlpatterns = [
    path("mock/health", mureka.health),
    path("mock/mureka/", include(mureka_urls)),
    path("mock/openai/", include(openai_urls)),
    path("mock/ollama", ollama.root),
    path("mock/ollama/", include(ollama_urls)),
]
handler404 = mureka.not_found
