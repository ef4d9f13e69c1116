"""Shows the prompts that Footnote's files hold in MLflow's prompt registry, in all their versions."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import dropwhile, takewhile
from typing import Any

import httpx

from contracts import PromptText

log = logging.getLogger(__name__)

ALIAS = "production"
VERSION_TAG = "prompt_version"  # the tag of traces, too: see mlflow_attributes.py
# MLflow 3 keeps a prompt as a registered model, and its text and kind as tags of that model's versions.
_IS_PROMPT = {"mlflow.prompt.is_prompt": "true"}
_TEXT, _KIND = "mlflow.prompt.text", "_mlflow_prompt_type"
_SOURCE = "dummy-source"  # what MLflow's own client says; the server insists
_VARIABLE = re.compile(r"(?<!\{)\{([a-z_]+)\}(?!\})")


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    content: str
    tag: str


class MlflowPromptRegistry:
    """Port `PromptRegistry` over MLflow's REST interface: its client takes seconds to import, and a process that
    answers questions needs it for nothing else. The names get a `prefix`, since the server may be shared.

    What is in use has the alias "production", and each version the tag `prompt_version`, which traces carry as well.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "footnote-",
        timeout_s: float = 10.0,
        heeds_proxy: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._prefix = prefix
        self._timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, 1.0))
        self._heeds_proxy = heeds_proxy
        self._transport = transport

    async def register(self, prompts: Mapping[str, PromptText]) -> bool:
        """Add those prompts, by name, whose content is not that of the latest version there; return whether all are
        there now. Several processes may do so at once: a prompt is there once."""
        client = httpx.AsyncClient(
            base_url=f"{self._url}/api/2.0/mlflow/",
            timeout=self._timeout,
            trust_env=self._heeds_proxy,
            transport=self._transport,
        )
        try:
            async with client:
                for name, text in prompts.items():
                    await _Prompt(client, self._prefix + name).register(text)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError) as exc:
            log.info("the prompts are not registered in MLflow at %s: %r", self._url, exc)
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Prompt:
    """One prompt of the registry."""

    client: httpx.AsyncClient
    name: str

    async def register(self, text: PromptText) -> None:
        content, kind = _content(text)
        versions = await self._versions()
        if not versions or versions[0].content != content:
            tags = {**_IS_PROMPT, _TEXT: content, _KIND: kind, VERSION_TAG: text.version}
            await self._call("POST", "model-versions/create", name=self.name, source=_SOURCE, tags=_tags(tags))
            versions = await self._versions()
        # Processes that start at once may each have added it: the first one stays.
        *others, kept = takewhile(
            lambda version: version.content == content, dropwhile(lambda version: version.content != content, versions)
        )
        for other in others:
            await self._delete(other.number)
        if kept.tag != text.version:
            tag = {"key": VERSION_TAG, "value": text.version}
            await self._call("POST", "model-versions/set-tag", name=self.name, version=str(kept.number), **tag)
        await self._call("POST", "registered-models/alias", name=self.name, alias=ALIAS, version=str(kept.number))

    async def _versions(self) -> list[_Version]:
        """Return the latest versions, newest first; make the prompt when there is none of this name."""
        made = await self.client.post("registered-models/create", json={"name": self.name, "tags": _tags(_IS_PROMPT)})
        if made.is_success:
            return []
        if "ALREADY_EXISTS" not in made.text:
            made.raise_for_status()
        wanted = f"name = '{self.name}' AND tags.`mlflow.prompt.is_prompt` = 'true'"
        found = await self._call(
            "GET", "model-versions/search", filter=wanted, order_by="version_number DESC", max_results=20
        )
        return [_version(each) for each in found.get("model_versions", ())]

    async def _delete(self, number: int) -> None:
        """Remove a version; another process may do so at the same time."""
        gone = await self.client.request(
            "DELETE", "model-versions/delete", json={"name": self.name, "version": str(number)}
        )
        if gone.status_code != HTTPStatus.NOT_FOUND:
            gone.raise_for_status()

    async def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        sent: dict[str, Any] = {"params": arguments} if method == "GET" else {"json": arguments}
        response = await self.client.request(method, path, **sent)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found


def _content(text: PromptText) -> tuple[str, str]:
    """Return what MLflow keeps as the prompt's text, with its variables in double braces, and which kind it is."""
    if len(text.messages) == 1:
        return _doubled(text.messages[0].content), "text"
    messages = [{"role": message.role, "content": _doubled(message.content)} for message in text.messages]
    return json.dumps(messages), "chat"


def _doubled(text: str) -> str:
    return _VARIABLE.sub(r"{{\1}}", text)


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _version(found: Mapping[str, Any]) -> _Version:
    tags = {tag["key"]: tag["value"] for tag in found.get("tags", ())}
    return _Version(int(found["version"]), tags.get(_TEXT, ""), tags.get(VERSION_TAG, ""))
