"""What one API process holds while it runs, and whether each part of the stack is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import httpx

from apps.answering import Answering
from apps.api.schemas import ComponentOut, ReadyOut
from apps.bootstrap import Library, open_admission, open_answering, open_library, open_model, open_tracer
from apps.composing import model_servers, open_pass_through, open_token_counter
from apps.composing_summaries import open_summarizing
from apps.draft import Event
from apps.settings import Settings, heeds_proxy, shown_url
from apps.summarizing import Summarizing
from contracts import Admission, Answer, FootnoteError, PassThrough
from observability.metrics import Metrics


@dataclass(slots=True)
class Running:
    """The wired application; `warm` is set once the models of this process are loaded."""

    settings: Settings
    library: Library
    answering: Answering
    summarizing: Summarizing
    admission: Admission
    metrics: Metrics
    warm: asyncio.Event
    close: Callable[[], Awaitable[None]]
    pass_through: PassThrough | None = None

    def count(self, answer: Answer) -> None:
        """Add an answer to the metrics."""
        self.metrics.cache(answer.cache)
        self.metrics.tokens(answer.usage)
        if answer.abstained:
            self.metrics.abstention()
        for violation in answer.violations:
            self.metrics.guard("output", violation.action)
        for stage, ms in answer.timings.items():
            if stage != "total":
                self.metrics.stage(stage, ms / 1e3)

    async def counted(self, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """Yield the events of an answer, and add it to the metrics when it comes."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Answer):
                    self.count(event)
                yield event

    async def ready(self) -> ReadyOut:
        """Return the state of each part."""
        names = ("catalog", "embedder", "model", "cache", "mlflow")
        checks = (
            self._catalog(),
            self._embedder(),
            _answers(
                f"{self.settings.model_url}/models",
                required=True,
                headers=model_servers(self.settings)[0].headers,
            ),
            self._cache(),
            _answers(f"{self.settings.mlflow_url}/health", required=False),
        )
        components = dict(zip(names, await asyncio.gather(*checks), strict=True))
        ready = all(part.state == "ready" for part in components.values() if part.required)
        return ReadyOut(ready=ready, components=components)

    async def _catalog(self) -> ComponentOut:
        try:
            await self.library.catalog.list("default", limit=1)
        except FootnoteError as exc:
            return ComponentOut(state="away", required=True, detail=str(exc))
        return ComponentOut(state="ready", required=True)

    async def _embedder(self) -> ComponentOut:
        state: Literal["ready", "starting"] = "ready" if self.warm.is_set() else "starting"
        return ComponentOut(state=state, required=True, detail=self.library.indexing.embedder)

    async def _cache(self) -> ComponentOut:
        if not self.settings.cache.enabled:
            return ComponentOut(state="ready", required=False, detail="off")
        alive = await self.library.caches.upkeep.alive()
        detail = shown_url(self.settings.cache_url)
        return ComponentOut(state="ready" if alive else "away", required=False, detail=detail)


async def _answers(url: str, *, required: bool, headers: Mapping[str, str] | None = None) -> ComponentOut:
    try:
        async with httpx.AsyncClient(timeout=2.0, trust_env=heeds_proxy(url)) as client:
            answer = await client.get(url, headers=headers)
        ok, detail = answer.status_code == 200, f"{shown_url(url)} answered {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        ok, detail = False, f"{shown_url(url)}: {exc!r}"
    return ComponentOut(state="ready" if ok else "away", required=required, detail=detail)


def start(settings: Settings) -> Running:
    """Wire an API process. Importing the guards takes seconds. Raises ConfigurationError or StoreUnavailableError."""
    metrics = Metrics()
    tracer = open_tracer(settings, metrics)
    model = open_model(settings)
    library = open_library(settings, tracer, model, share_vectors=True)
    library.policies.guards("default")  # imports them now, and says at once when the policy cannot be understood
    admission = open_admission(settings)
    counter = open_token_counter(settings)
    passing = open_pass_through(settings, model)
    answering = open_answering(library, tracer, model, counter, admission)

    async def close() -> None:
        await answering.aclose()
        connections = (model.close(), counter.close(), passing.close())
        await asyncio.gather(library.aclose(), *connections, asyncio.to_thread(tracer.close))

    return Running(
        settings=settings,
        library=library,
        answering=answering,
        summarizing=open_summarizing(settings, library.policies, library.catalog.chunks, model, counter, tracer),
        admission=admission,
        metrics=metrics,
        warm=asyncio.Event(),
        close=close,
        pass_through=passing if settings.serving.pass_through else None,
    )
