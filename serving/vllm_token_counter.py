"""Counts tokens as vLLM does, by its own chat template and tokenizer; for other servers a bound that is safe."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from contracts import Message, ModelUnavailableError, most_tokens

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

_UNKNOWN = (404, 405, 501)  # how servers answer to a path that they do not have


class VllmTokenCounter:
    """Port `TokenCounter` on a server whose `base_url` ends in /v1; `POST /tokenize` is beside that.

    A server without it is not asked again: then the count is `most_tokens`, up to five times the true one, and the
    window, where the server does not list it, `context_tokens`. Without a `model` it is the first that is listed. With
    `when_away` "bound" the same goes for one that is away: where there are other models to answer for it.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        context_tokens: int,
        api_key: str = "",
        timeout_s: float = 10.0,
        heeds_proxy: bool = True,
        when_away: Literal["raise", "bound"] = "raise",
    ) -> None:
        self._model = model
        self._url = base_url.rstrip("/")
        self._context_tokens = context_tokens
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout_s = timeout_s
        self._heeds_proxy = heeds_proxy
        self._when_away = when_away
        self._client: httpx.AsyncClient | None = None
        self._window: int | None = None
        self._can_count = True

    async def window(self) -> int:
        """Return how many tokens of prompt and answer together the model can hold; known after the first call. Raises
        ModelUnavailableError."""
        if self._window is None:
            try:
                response = await self._call("GET", f"{self._url}/models")
            except ModelUnavailableError:
                if self._when_away == "raise":
                    raise
                return self._context_tokens
            self._window = self._listed_window(_object(response)) or self._context_tokens
        return self._window

    async def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the messages are, laid out by the model's own chat template. Raises
        ModelUnavailableError."""
        if not self._can_count:
            return most_tokens(messages)
        url = f"{self._url.removesuffix('/v1')}/tokenize"
        try:
            found = _object(await self._call("POST", url, json=self._body(messages)))
        except ModelUnavailableError:
            if self._when_away == "raise":
                raise
            return most_tokens(messages)
        if not isinstance(found.get("count"), int):
            log.info("the server at %s counts no tokens: prompts are kept shorter than they need be", self._url)
            self._can_count = False
            return most_tokens(messages)
        if isinstance(found.get("max_model_len"), int):
            self._window = found["max_model_len"]  # it may have been started anew with another one
        return int(found["count"])

    def _body(self, messages: Sequence[Message]) -> dict[str, Any]:
        shown = [{"role": message.role, "content": message.content} for message in messages]
        body: dict[str, Any] = {"messages": shown, "add_generation_prompt": True}
        return body | ({"model": self._model} if self._model else {})

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _listed_window(self, listing: Mapping[str, Any]) -> int | None:
        models = [entry for entry in listing.get("data") or () if isinstance(entry, dict)]
        wanted = next((entry for entry in models if entry.get("id") == self._model or not self._model), {})
        window = wanted.get("max_model_len")
        return window if isinstance(window, int) else None

    async def _call(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        """Return a success, or the answer of a server that does not know the path."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=self._timeout_s, headers=self._headers, trust_env=self._heeds_proxy
            )
        try:
            response = await self._client.request(method, url, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._away(repr(exc)) from exc
        if not response.is_success and response.status_code not in _UNKNOWN:
            raise self._away(f"HTTP {response.status_code} {response.text[:200]}")
        return response

    def _away(self, reason: str) -> ModelUnavailableError:
        return ModelUnavailableError(
            f"The model server at {self._url} did not count tokens for {self._model!r}: {reason}. "
            "Check `footnote status`, or FOOTNOTE_SERVING__BASE_URL and FOOTNOTE_SERVING__MODEL."
        )


def _object(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object that a server said; empty when it said something else."""
    try:
        found = response.json() if response.is_success else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
