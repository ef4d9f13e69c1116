"""Where models are served."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

WireProtocol = Literal["openai", "anthropic"]
_ANTHROPIC_VERSION = "2023-06-01"
_ANTHROPIC_HOST = "anthropic.com"


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A model at a server whose `base_url` ends in /v1; without a name it is the first one that the server lists.

    A connection is waited for up to `connect_s`, the first token of an answer up to `timeout_s` and each further one up
    to `stall_s`. After `failures` failed answers in a row the server is left alone for `rest_s`.
    """

    model: str
    base_url: str
    api_key: str = field(default="", repr=False)
    protocol: WireProtocol = "openai"
    connect_s: float = 5.0
    timeout_s: float = 60.0
    stall_s: float = 30.0
    failures: int = 3
    rest_s: float = 5.0
    heeds_proxy: bool = True

    @property
    def headers(self) -> dict[str, str]:
        """What a request to it carries. Other servers than Anthropic's own that speak its protocol want either key."""
        bearer = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        if self.protocol == "openai":
            return bearer
        own = (urlsplit(self.base_url).hostname or "").endswith(_ANTHROPIC_HOST)
        key = {"x-api-key": self.api_key} if self.api_key else {}
        return {"anthropic-version": _ANTHROPIC_VERSION, **key, **({} if own else bearer)}
