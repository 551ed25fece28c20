"""The errors of the imitated OpenAI, in its own words and shapes."""

from typing import Any

INVALID_REQUEST = "invalid_request_error"
USER_ERROR = "image_generation_user_error"


class OpenAIRefusalError(Exception):
    """A request that is answered with an error; `error` is what stands in the body, `wait` a Retry-After in seconds."""

    def __init__(self, status: int, error: dict[str, Any], *, wait: int | None = None) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = error
        self.wait = wait


def refusal(
    status: int,
    message: str,
    *,
    code: str | None = None,
    kind: str = INVALID_REQUEST,
    param: str | None = None,
    wait: int | None = None,
    **more: object,
) -> OpenAIRefusalError:
    """Make an error with the four fields that each has, and what some have beside them."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return OpenAIRefusalError(status, error | more, wait=wait)


def no_key() -> OpenAIRefusalError:
    """A request without a key."""
    return refusal(401, "You didn't provide an API key. You need to provide your API key in an Authorization header.")


def wrong_key(key: str) -> OpenAIRefusalError:
    """A key that is none; only its ends are repeated."""
    shown = key if len(key) < 12 else f"{key[:4]}{'*' * (len(key) - 8)}{key[-4:]}"
    words = f"Incorrect API key provided: {shown}. You can find your API key at https://platform.openai.com/account/api-keys."
    return refusal(401, words, code="invalid_api_key")


def moderated(request_id: str) -> OpenAIRefusalError:
    """A prompt that the safety system does not like."""
    words = (
        "Your request was rejected by the safety system. If you believe this is an error, contact us at "
        f"help.openai.com and include the request ID {request_id}. safety_violations=[violence]."
    )
    details = {"moderation_stage": "input", "categories": ["violence"]}
    return refusal(400, words, code="moderation_blocked", kind=USER_ERROR, moderation_details=details)


def overloaded() -> OpenAIRefusalError:
    """Too much to do at the moment."""
    words = "The server is currently overloaded with other requests. Sorry about that! Please retry after a brief wait."
    return refusal(503, words, code="server_is_overloaded", kind="service_unavailable_error")


def too_fast() -> OpenAIRefusalError:
    """A pace limit, with the time to wait."""
    words = "Rate limit reached for images per min. Limit 5, Used 5, Requested 1. Please try again in 2s."
    return refusal(429, words, code="rate_limit_exceeded", kind="requests", wait=2)


def billing_limit() -> OpenAIRefusalError:
    """The money is used up."""
    return refusal(400, "Billing hard limit has been reached", code="billing_hard_limit_reached")


def unknown_model(name: str) -> OpenAIRefusalError:
    """A model that never was, or is no more."""
    words = f"The model '{name}' does not exist."
    return refusal(400, words, code="invalid_value", kind=USER_ERROR, param="model")


def unknown_parameter(name: str) -> OpenAIRefusalError:
    """A parameter that this endpoint or model does not take."""
    return refusal(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def missing(name: str) -> OpenAIRefusalError:
    """A parameter that must be there."""
    return refusal(400, f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)


def invalid(name: str, words: str, *, code: str = "invalid_value") -> OpenAIRefusalError:
    """A parameter with a value that it cannot have."""
    return refusal(400, words, code=code, kind=USER_ERROR, param=name)


def invalid_type(name: str, wanted: str) -> OpenAIRefusalError:
    """A parameter of a wrong type."""
    return refusal(400, f"Invalid type for '{name}': expected {wanted}.", code="invalid_type", param=name)


def invalid_file(name: str, words: str) -> OpenAIRefusalError:
    """An uploaded file that is no use."""
    return refusal(400, words, code="invalid_image_file", kind=USER_ERROR, param=name)
