"""Alerts to an address on the web."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, ClassVar

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.monitor.alerts import Alert, Event
from sevenfold.record import Entry

TRY_AGAIN = (408, 429)
"""Refusals below 500 that pass with time: timed out, too many requests."""


class Webhook(Alert):
    """POST it as JSON.

    The address often holds a secret, so it stands in an environment variable: not in the recipe, the record or a
    message.
    """

    main: ClassVar[str | None] = "variable"

    variable: str = Field("SEVENFOLD_WEBHOOK", description="The environment variable that holds the address.")
    timeout: float = Field(10, gt=0, description="How long one try may take, seconds.")
    tries: int = Field(3, ge=1, description="Tries in all, when nobody answers or the other side is busy or broken.")
    pause: float = Field(1, ge=0, description="The pause before the second try, seconds; it doubles each time.")

    def tell(self, event: Event, entry: Entry) -> None:
        """Tell one event."""
        body = event.model_dump_json().encode()
        request = urllib.request.Request(
            self.address(), body, {"Content-Type": "application/json", "User-Agent": "sevenfold"}, method="POST"
        )
        for attempt in range(self.tries):
            if attempt:
                time.sleep(self.pause * 2 ** (attempt - 1))
            problem, final = self.post(request)
            if not problem:
                return
            if final:
                break
        raise MachineError(
            f"the webhook was not told, after {attempt + 1} of {self.tries} tries: {problem}",
            where=f"the address in ${self.variable}",
            next_step="it is tried again when `monitor` next runs",
        )

    def address(self) -> str:
        """The address.

        Raises:
            MachineError: The variable is not set, or holds no web address.
        """
        address = os.environ.get(self.variable, "")
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            state = "holds no web address" if address else "is not set"
            raise MachineError(
                f"the environment variable {self.variable} {state}",
                expected="an address that begins with https://",
                next_step=f"export {self.variable}=https://...",
            )
        return address

    def post(self, request: urllib.request.Request) -> tuple[str, bool]:
        """One try.

        Args:
            request: The alert.

        Returns:
            What went wrong, empty when nothing did; and whether another try is useless.
        """
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=self.timeout) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            error.close()
            return f"status {error.code}", error.code < 500 and error.code not in TRY_AGAIN
        except (OSError, http.client.HTTPException) as error:
            return str(getattr(error, "reason", error)) or type(error).__name__, False
        return "", False


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow nothing: a redirected POST would become a GET without the alert."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse, so that the redirect is an error."""
