"""Is the process alive, can it answer, and its metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response

from apps.api.deps import RunningDep
from apps.api.schemas import ReadyOut

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"model": ReadyOut, "description": "Not yet usable"}})
async def readyz(running: RunningDep, response: Response) -> ReadyOut:
    """Say whether questions can be answered, with the state of each component; 503 until they can."""
    ready = await running.ready()
    response.status_code = 200 if ready.ready else 503
    return ready


@router.get("/metrics", response_class=Response)
async def metrics(running: RunningDep) -> Response:
    """Return the metrics in Prometheus' text format."""
    body, media_type = running.metrics.render()
    return Response(body, media_type=media_type)
