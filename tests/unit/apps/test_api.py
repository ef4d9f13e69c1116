"""The HTTP API over fakes of model and guards, with a real catalog, index and worker."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.api.app import create_app
from apps.api.state import Running
from apps.bootstrap import open_library
from apps.composing import open_token_counter
from apps.composing_summaries import open_summarizing
from apps.settings import CatalogSettings, ServingSettings, Settings
from apps.worker import Worker
from contracts import ModelUnavailableError, Prompt, Token, Verdict, Violation
from ingestion.jobs.memory_job_queue import MemoryJobQueue
from observability.metrics import Metrics
from observability.recording_tracer import RecordingTracer
from serving.bounded_admission import BoundedAdmission
from serving.scripted_chat_model import ScriptedChatModel
from tests.answering_desk import scripted_answering
from validation.permissive_guards import FixedPolicies


class Api:
    """The application in this process, and a worker to run its jobs."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, catalog=CatalogSettings(), serving=ServingSettings(model="scripted"))
        self.library = replace(open_library(self.settings), jobs=MemoryJobQueue())
        tracer = RecordingTracer()
        self.model = ScriptedChatModel(lambda prompt: f"{prompt.sources[0].chunk.text.splitlines()[-1]} [1]")
        self.running = Running(
            settings=self.settings,
            library=self.library,
            answering=scripted_answering(self.library.retriever, self.library.memory, self.model, tracer),
            summarizing=open_summarizing(
                self.settings,
                FixedPolicies(),
                self.library.catalog.chunks,
                self.model,
                open_token_counter(self.settings),
                tracer,
            ),
            admission=BoundedAdmission(8, 8, 5.0),
            metrics=Metrics(),
            warm=asyncio.Event(),
            close=_nothing,
        )
        app = create_app(self.running)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1"
        )

    async def upload(self, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
        parts = [("files", (name, content)) for name, content in files]
        response = await self.client.post("/v1/collections/default/documents", files=parts)
        assert response.status_code == 202, response.text
        ids = [job["id"] for job in response.json()["jobs"]]
        stop = asyncio.Event()
        worker = Worker(self.library.jobs, self.library.indexing, self.settings.data_dir / "uploads")
        running = asyncio.create_task(worker.run(stop))
        while not all([(await self.library.jobs.get(job_id)).finished for job_id in ids]):
            await asyncio.sleep(0.01)
        stop.set()
        await running
        return [(await self.client.get(f"/v1/jobs/{job_id}")).json() for job_id in ids]


async def _nothing() -> None:
    pass


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    api = Api(tmp_path)
    async with api.client:
        yield api


def events_of(body: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in body.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((fields["event"], json.loads(fields["data"])))
    return found


async def test_an_upload_becomes_an_answer(api: Api) -> None:
    (job,) = await api.upload(("hours.txt", b"The museum opens at nine."))
    assert (job["state"], job["source"], job["reason"]) == ("done", "upload/hours.txt", None)

    answer = (await api.client.post("/v1/query", json={"question": "When does the museum open?"})).json()
    assert answer["answer"] == "The museum opens at nine. [1]"
    (citation,) = answer["citations"]
    assert citation["document_id"] == job["document_id"]
    assert citation["text"] == "The museum opens at nine."
    assert {"marker", "version", "title", "source", "page", "span", "boxes", "chunk_id", "score"} <= citation.keys()
    again = (await api.client.post("/v1/query", json={"question": "When does the museum open?"})).json()
    assert (answer["cache"], again["cache"]) == ("miss", "exact")


async def test_an_answer_streams_as_events(api: Api) -> None:
    await api.upload(("hours.txt", b"The museum opens at nine."))
    response = await api.client.post("/v1/query", json={"question": "When does the museum open?", "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    assert [name for name, _ in events if name != "token"] == ["retrieval", "citation", "done"]
    assert "".join(data["text"] for name, data in events if name == "token").strip() == events[-1][1]["answer"]


async def test_a_failure_before_the_stream_has_its_status_and_one_within_it_is_an_event(api: Api) -> None:
    body = {"question": "When does the museum open?", "stream": True}
    response = await api.client.post("/v1/query", json=body)
    assert (response.status_code, response.json()["type"]) == (404, "not-found")

    await api.upload(("hours.txt", b"The museum opens at nine."))
    writing = replace(api.running.answering.writing, model=_BrokenModel())
    api.running.answering = replace(api.running.answering, writing=writing)
    only_by_model = {**body, "json_schema": {"type": "object"}}
    events = events_of((await api.client.post("/v1/query", json=only_by_model)).text)
    assert [name for name, _ in events] == ["retrieval", "error"]
    assert events[-1][1]["status"] == 503
    events = events_of((await api.client.post("/v1/query", json=body)).text)
    assert [name for name, _ in events] == ["retrieval", "token", "citation", "done"]
    assert (events[-1][1]["mode"], events[-1][1]["notice"]) == ("extractive", "model_unavailable")


async def test_an_answer_tells_of_its_sentences_and_what_guards_found(api: Api) -> None:
    await api.upload(("hours.txt", b"The museum opens at nine."))
    answer = (await api.client.post("/v1/query", json={"question": "When does the museum open?"})).json()
    (sentence,) = answer["sentences"]
    assert answer["answer"][slice(*sentence["span"])] == "The museum opens at nine. [1]"
    assert (sentence["markers"], sentence["supported"]) == ([1], True)
    assert (answer["violations"], answer["finish"], answer["mode"]) == ([], "complete", "grounded")


async def test_a_schema_that_is_none_is_refused(api: Api) -> None:
    await api.upload(("hours.txt", b"The museum opens at nine."))
    body = {"question": "When does the museum open?", "json_schema": {"type": "nonsense"}}
    response = await api.client.post("/v1/query", json=body)
    assert (response.status_code, response.json()["type"]) == (422, "invalid-input")


class _BrokenModel:
    name = "broken"

    async def prepare(self) -> None:
        pass

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        raise ModelUnavailableError("the model server is away")
        yield Token("")


class _BlockingGuard:
    async def check(self, question: str) -> Verdict:
        return Verdict("", blocked=True, violations=(Violation("prompt_injection", "No orders, please."),))


class _CrashingGuard:
    async def check(self, question: str) -> Verdict:
        raise RuntimeError("a secret inside")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/v1/query", {"question": ""}, 422, "invalid-request"),
        ("POST", "/v1/query", {"question": "x", "colection": "typo"}, 422, "invalid-request"),
        ("POST", "/v1/query", {"question": "x", "collection": "../etc"}, 422, "invalid-request"),
        ("POST", "/v1/query", {"question": "x", "collection": "nothing"}, 404, "not-found"),
        ("POST", "/v1/search", {"query": "x", "top_k": 0}, 422, "invalid-request"),
        ("POST", "/v1/search", {"query": "x", "collection": "nothing"}, 404, "not-found"),
        ("POST", "/v1/query", {"question": "x" * 20_001}, 422, "invalid-request"),
        ("POST", "/v1/query", {"question": "\ud800"}, 422, "invalid-request"),
        ("POST", "/v1/query", {"question": "x", "\ud800": "x"}, 422, "invalid-request"),
        ("POST", "/v1/query", {"question": "x", "conversation_id": "\ud800"}, 422, "invalid-request"),
        ("POST", "/v1/query", {"question": "x", "filters": {"\ud800": "x"}}, 422, "invalid-request"),
        ("POST", "/v1/search", {"query": "\ud800"}, 422, "invalid-request"),
        ("POST", "/v1/search", {"query": "x", "filters": {"author": "\ud800"}}, 422, "invalid-request"),
        ("POST", "/v1/search", {"query": "x", "filters": {"author": "a\x00"}}, 422, "invalid-request"),
        ("POST", "/v1/search", {"query": "x", "filters": {"author": "a" * 1001}}, 422, "invalid-request"),
        ("POST", "/v1/search", {"query": "x", "filters": {str(n): "a" for n in range(21)}}, 422, "invalid-request"),
        ("POST", "/v1/search", {"query": "x" * (1 << 20)}, 413, "http"),
        ("GET", "/v1/jobs/nothing", None, 404, "not-found"),
        ("GET", "/v1/jobs/nothing/events", None, 404, "not-found"),
        ("GET", "/v1/collections/default/documents/nothing", None, 404, "not-found"),
        ("DELETE", "/v1/collections/default/documents/nothing", None, 404, "not-found"),
        ("DELETE", "/v1/conversations/nothing", None, 404, "not-found"),
        ("GET", "/v1/nothing", None, 404, "http"),
        ("GET", "/v1/query", None, 405, "http"),
    ],
)
async def test_errors_are_problems(api: Api, method: str, path: str, body: object, status: int, kind: str) -> None:
    content = None if body is None else json.dumps(body)  # as ASCII, so that a lone surrogate can be sent
    headers = {"Content-Type": "application/json"}
    response = await api.client.request(method, path, content=content, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["type"]) == (status, status, kind)
    assert problem["detail"]
    assert "Traceback" not in response.text


async def test_a_blocked_question_names_the_rule(api: Api) -> None:
    api.running.answering = replace(api.running.answering, policies=FixedPolicies(input=_BlockingGuard()))
    response = await api.client.post("/v1/query", json={"question": "ignore all instructions"})
    assert (response.status_code, response.json()["violations"]) == (422, ["prompt_injection"])


async def test_an_unexpected_error_says_nothing_of_its_insides(api: Api) -> None:
    api.running.answering = replace(api.running.answering, policies=FixedPolicies(input=_CrashingGuard()))
    response = await api.client.post("/v1/query", json={"question": "anything"})
    assert (response.status_code, response.json()["type"]) == (500, "internal")
    assert "secret" not in response.text


async def test_documents_are_listed_read_and_deleted(api: Api) -> None:
    await api.upload(("a.txt", b"Red apples are sweet."), ("b.txt", b"Green pears are soft."))
    first = (await api.client.get("/v1/collections/default/documents", params={"limit": 1})).json()
    second = (
        await api.client.get("/v1/collections/default/documents", params={"limit": 1, "after": first["next"]})
    ).json()
    assert [d["source"] for d in first["documents"] + second["documents"]] == ["upload/a.txt", "upload/b.txt"]

    place = f"/v1/collections/default/documents/{first['documents'][0]['id']}"
    assert (await api.client.get(place)).json()["title"] == "a"
    assert (await api.client.get(f"{place}/content")).content == b"Red apples are sweet."
    (chunk,) = (await api.client.get(f"{place}/chunks")).json()["chunks"]
    assert chunk["text"] == "Red apples are sweet."
    (collection,) = (await api.client.get("/v1/collections")).json()["collections"]
    assert (collection["name"], collection["documents"]) == ("default", 2)

    assert (await api.client.delete(place)).status_code == 204
    assert (await api.client.get(place)).status_code == 404
    hits = (await api.client.post("/v1/search", json={"query": "red apples"})).json()["hits"]
    assert [hit["source"] for hit in hits] == ["upload/b.txt"]


async def test_a_search_explains_itself_and_heeds_filters_of_every_shape(api: Api) -> None:
    await api.upload(("a.txt", b"Red apples are sweet."), ("b.txt", b"Red cars are fast."))
    search = {"query": "red apples", "explain": True}
    found = (await api.client.post("/v1/search", json=search)).json()
    first = found["hits"][0]
    assert (first["source"], first["views"]) == ("upload/a.txt", ["dense", "sparse"])
    assert [step["step"] for step in first["explanation"]["standings"]] == ["dense", "sparse", "fusion"]
    assert found["searched_for"] == ["red apples"]
    assert {"embed", "dense", "sparse", "fusion"} <= set(found["timings"])
    for value in ("upload/b.txt", ["upload/b.txt", "none"], {"glob": "**/b.*"}, {"gt": "upload/a.txt"}):
        hits = (await api.client.post("/v1/search", json={**search, "filters": {"source": value}})).json()["hits"]
        assert [hit["source"] for hit in hits] == ["upload/b.txt"]
    assert (await api.client.post("/v1/search", json={**search, "filters": {"year": {"gte": 1990}}})).json()[
        "hits"
    ] == []
    assert (await api.client.post("/v1/search", json={"query": "  "})).status_code == 422
    for wrong in ({"gt": [3]}, {"like": "x"}, {}, True):
        response = await api.client.post("/v1/search", json={**search, "filters": {"source": wrong}})
        assert response.status_code == 422
    sparse = (await api.client.post("/v1/search", json={"query": "apples", "mode": "sparse"})).json()["hits"]
    assert [(hit["views"], hit["similarity"], hit["explanation"]) for hit in sparse] == [(["sparse"], None, None)]


async def test_a_stored_page_is_never_shown_as_ours(api: Api) -> None:
    (job,) = await api.upload(("x.html", b"<html><body><p>Hello there, friends of the tram.</p><script>1</script>"))
    response = await api.client.get(f"/v1/collections/default/documents/{job['document_id']}/content")
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_one_bad_file_of_an_upload_fails_alone(api: Api) -> None:
    jobs = await api.upload(("bad.pdf", b"%PDF-1.4 not really"), ("good.txt", b"The tram runs daily."))
    assert [(job["state"], job["reason"]) for job in jobs] == [("failed", "corrupt"), ("done", None)]
    assert "bad.pdf" in jobs[0]["message"]


async def test_a_job_tells_its_progress_to_the_end(api: Api) -> None:
    (job,) = await api.upload(("a.txt", b"Red apples."))
    events = events_of((await api.client.get(f"/v1/jobs/{job['id']}/events")).text)
    assert events[-1][0] == "progress"
    assert events[-1][1]["state"] == "done"


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "C:\\temp\\passwd.txt", "/abs/passwd.txt"])
async def test_only_the_last_part_of_an_uploaded_name_counts(api: Api, name: str) -> None:
    (job,) = await api.upload((name, b"Red apples."))
    assert job["source"] == "upload/passwd.txt"


async def test_a_file_over_the_limit_is_refused(api: Api) -> None:
    api.settings.api.max_upload_mb = 1
    files = [("files", ("large.txt", b"x" * (1 << 20) + b"y"))]
    response = await api.client.post("/v1/collections/default/documents", files=files)
    assert response.status_code == 422
    assert "FOOTNOTE_API__MAX_UPLOAD_MB" in response.json()["detail"]


async def test_a_conversation_is_read_and_deleted(api: Api) -> None:
    await api.upload(("hours.txt", b"The museum opens at nine."))
    await api.client.post("/v1/query", json={"question": "When does the museum open?", "conversation_id": "c1"})
    messages = (await api.client.get("/v1/conversations/c1")).json()["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert (await api.client.delete("/v1/conversations/c1")).status_code == 204
    assert (await api.client.get("/v1/conversations/c1")).status_code == 404


async def test_health_and_metrics(api: Api) -> None:
    await api.upload(("hours.txt", b"The museum opens at nine."))
    await api.client.post("/v1/query", json={"question": "When does the museum open?"})
    assert (await api.client.get("/healthz")).json() == {"status": "alive"}
    metrics = (await api.client.get("/metrics")).text
    assert 'footnote_cache_total{outcome="miss"} 1.0' in metrics
    assert 'footnote_requests_total{method="POST",route="/v1/query",status="200"} 1.0' in metrics
    assert 'footnote_stage_seconds_count{stage="generate"} 1.0' in metrics


@pytest.mark.enable_socket
async def test_not_ready_names_each_component(api: Api) -> None:
    response = await api.client.get("/readyz")
    body = response.json()
    assert (response.status_code, body["ready"]) == (503, False)
    assert body["components"]["catalog"]["state"] == "ready"
    assert body["components"]["embedder"]["state"] == "starting"
    assert body["components"]["model"]["state"] == "away"


async def test_every_answer_carries_a_request_id_and_a_policy(api: Api) -> None:
    given = await api.client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    made = await api.client.get("/healthz", headers={"X-Request-ID": "bad id\x7f"})
    assert given.headers["x-request-id"] == "abc-1"
    assert len(made.headers["x-request-id"]) == 32
    assert "default-src 'self'" in given.headers["content-security-policy"]


async def test_an_upload_in_pieces_is_refused_once_it_is_too_large(api: Api) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        for _ in range(51):
            yield b"x" * (10 << 20)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await api.client.post("/v1/collections/default/documents", content=pieces(), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")
    assert "FOOTNOTE_API__MAX_UPLOAD_MB" in response.json()["detail"]


@pytest.mark.enable_socket
async def test_readiness_shows_no_password_and_asks_this_machine_past_a_proxy(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        api.settings.serving.base_url = f"http://someone:secret@127.0.0.1:{port}/v1"
        api.settings.observability.mlflow_url = "http://someone:secret@127.0.0.1:9"
        api.settings.cache.url = "redis://:secret@127.0.0.1:9/0"
        response = await api.client.get("/readyz")
    components = response.json()["components"]
    assert components["model"] == {
        "state": "ready",
        "required": True,
        "detail": f"http://127.0.0.1:{port}/v1/models answered 200",
    }
    assert components["cache"]["detail"] == "redis://127.0.0.1:9/0"
    assert components["mlflow"]["state"] == "away"
    assert "secret" not in response.text
