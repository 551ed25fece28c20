"""What every endpoint of the API shares before its view runs: how a body is read, how a list is paged."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param


class BoundedJSONParser(JSONParser):
    """JSON of bounded depth. Its length is bounded by Django (DATA_UPLOAD_MAX_MEMORY_SIZE)."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Parse a body. Raises ParseError for what is not JSON or nested without end."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None


class Pages(BasePagination):
    """Numbered pages that are never counted: one row more than the page tells whether there is a next one.

    The page's ids are read first, from the index alone, so that the last page of 100,000 rows costs milliseconds; then
    its rows, with all that the view's queryset wants of them. Two queries, at any page.
    """

    page_size = 25
    page_size_limit = 100
    last_page = 1_000_000

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the wanted page. Raises ValidationError for a page or a size out of bounds."""
        self.request = request
        self.number = self.number_of("page", 1, self.last_page)
        size = self.number_of("page_size", self.page_size, self.page_size_limit)
        start = (self.number - 1) * size
        found = list(queryset.values_list("pk", flat=True)[start : start + size + 1])
        self.has_next = len(found) > size
        rows = queryset.model._default_manager.none() if not found else queryset.order_by()
        by_id = {row.pk: row for row in rows.filter(pk__in=found[:size])}
        # One that was deleted between the two queries is gone.
        return [by_id[pk] for pk in found[:size] if pk in by_id]

    def number_of(self, name: str, default: int, highest: int) -> int:
        """Read a number from the address."""
        raw = self.request.query_params.get(name, "") or str(default)
        if not (raw.isascii() and raw.isdecimal() and len(raw) < 8 and 1 <= int(raw) <= highest):
            raise ValidationError({name: [_("A number from 1 to %(highest)d.") % {"highest": highest}]})
        return int(raw)

    def get_paginated_response(self, data: Any) -> Response:
        """Answer with the rows and the addresses of the pages beside."""
        return Response({"next": self.next_link(), "previous": self.previous_link(), "results": data})

    def next_link(self) -> str | None:
        """Return the address of the next page."""
        address = self.request.build_absolute_uri()
        return replace_query_param(address, "page", str(self.number + 1)) if self.has_next else None

    def previous_link(self) -> str | None:
        """Return the address of the page before."""
        address = self.request.build_absolute_uri()
        if self.number == 1:
            return None
        if self.number == 2:
            return remove_query_param(address, "page")
        return replace_query_param(address, "page", str(self.number - 1))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the answer in OpenAPI."""
        address = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters in OpenAPI."""
        bounds = {"page": (1, self.last_page), "page_size": (self.page_size, self.page_size_limit)}
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": highest, "default": default},
            }
            for name, (default, highest) in bounds.items()
        ]
