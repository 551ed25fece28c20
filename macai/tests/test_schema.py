"""The API's documentation: generated, valid, complete, and only for whoever is signed in."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import validate

from songs.tests.factories import make_api_client, make_user

pytestmark = pytest.mark.django_db


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, operation) for path, item in schema["paths"].items() for method, operation in item.items()]


def fetched() -> dict[str, Any]:
    answer = make_api_client().get("/api/openapi.json")
    assert answer.status_code == 200
    schema: dict[str, Any] = answer.json()
    return schema


def test_the_document_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())

    assert capsys.readouterr().err == ""


def test_the_document_is_valid_openapi() -> None:
    validate(fetched())


def test_every_operation_has_a_summary_and_says_how_it_refuses() -> None:
    for path, method, operation in operations(fetched()):
        name = f"{method} {path}"
        assert operation.get("summary") or operation.get("description"), name
        assert operation["tags"][0] in {"auth", "songs", "choices", "images", "chat", "templates", "studio"}, name
        if not path.startswith("/api/v1/health/") and path != "/api/v1/auth/token/":
            assert "401" in operation["responses"], name
            assert {"token": []} in operation["security"], name
        if "{id}" in path:
            assert "404" in operation["responses"], name
        if "requestBody" in operation:
            assert "400" in operation["responses"], name
        if any(verb in path for verb in ("cancel", "submit-again", "refresh")):
            assert "409" in operation["responses"], name


def test_asking_for_a_song_is_shown_by_example() -> None:
    operation = fetched()["paths"]["/api/v1/songs/"]["post"]

    assert len(operation["requestBody"]["content"]["application/json"]["examples"]) == 2
    assert "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]]
    assert {"202", "400", "401"} <= operation["responses"].keys()


def test_the_list_says_how_it_is_filtered_and_paged() -> None:
    names = {parameter["name"] for parameter in fetched()["paths"]["/api/v1/songs/"]["get"]["parameters"]}

    assert names == {
        "q", "status", "workflow", "kind", "phase", "is_uncertain", "created_after", "created_before",
        "trashed", "ordering", "page", "page_size",
    }  # fmt: skip


def test_every_reference_leads_somewhere() -> None:
    schema = fetched()

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for child in node.values() for found in references(child)]
        return [found for child in node for found in references(child)] if isinstance(node, list) else []

    names = {reference.removeprefix("#/components/schemas/") for reference in references(schema)}
    assert names <= schema["components"]["schemas"].keys()


def test_yaml_tells_the_same() -> None:
    answer = make_api_client().get("/api/openapi.yaml")

    assert answer.status_code == 200
    assert answer.content.startswith(b"openapi: 3")


def test_swagger_is_shown_to_whoever_is_signed_in_from_our_own_files() -> None:
    client = Client()
    client.force_login(make_user())

    page = client.get("/api/docs/")
    script = client.get("/api/docs/?script=")

    html = page.content.decode()
    assert page.status_code == 200
    assert "<style" not in html
    assert "http" not in html
    assert html.count("<script") == html.count('<script src="/')
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/openapi.json" in script.content.decode()


def test_the_documentation_asks_a_stranger_to_sign_in() -> None:
    make_user()

    page = Client().get("/api/docs/")

    assert (page.status_code, page["Location"]) == (302, "/sign-in/?next=/api/docs/")
    assert Client().get("/api/openapi.json").status_code == 401
    assert Client().get("/api/openapi.yaml").status_code == 401
