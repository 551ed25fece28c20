"""The refusals of the imitated providers: an HTTP status and the provider's own words."""

INVALID_AUTHENTICATION = "Invalid Authentication"
RATE_LIMITED = "Rate limit reached for requests"
OVER_QUOTA = "You exceeded your current quota, please check your billing details"
OVERLOADED = "The engine is currently overloaded"
TASK_NOT_FOUND = "Invalid Request, The corresponding task was not found."


class RefusedError(Exception):
    """A request the provider answers with an error; `message` is what stands in the body's `error.message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def invalid(reason: str) -> RefusedError:
    """Return the 400 of a request that breaks a rule."""
    return RefusedError(400, f"Invalid Request, {reason}")
