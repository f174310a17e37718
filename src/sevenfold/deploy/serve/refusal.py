"""What the server refuses, in the form that OpenAI's clients read."""

from __future__ import annotations

from typing import Any

KINDS = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
HUNG_UP = 499
"""The status that is recorded when the client closed the connection."""


class Refusal(Exception):
    """A request that is not answered.

    Args:
        status: The HTTP status.
        message: What is wrong and what would be right.
        code: A word that programs can test.
        param: The field of the body that is wrong.
        retry_after: Seconds after which it is worth asking again.
    """

    def __init__(
        self, status: int, message: str, code: str, param: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"

    def body(self) -> dict[str, Any]:
        """The error as OpenAI writes it."""
        kind = "server_error" if self.status >= 500 else KINDS.get(self.status, "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}
