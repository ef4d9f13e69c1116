"""Collections, versions and failures over HTTP, for callers who may see them and for those who may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from apps.api.errors import problem_of
from apps.sources import Source, local_file
from contracts import StaleEmbedderError
from tests.small_encoder import make_small_encoder
from tests.unit.apps.test_api import Api

HERE = "/v1/collections/default"
NO_VERSION = "0" * 64


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("encoders")
    small, other = (str(make_small_encoder(folder / name, seed=seed)) for seed, name in enumerate(("small", "other")))
    return small, other


@pytest.fixture
async def api(tmp_path: Path, encoders: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING__MODEL", encoders[0])
    made = Api(tmp_path)
    async with made.client:
        yield made
    await made.library.aclose()


async def index(api: Api, text: str, name: str = "a.txt", **more: Any) -> str:
    """Index a text without a worker and return the document's place."""
    path = api.settings.data_dir / "given.txt"
    path.write_text(text)
    done = await api.library.indexing.index(Source(name, local_file(path), **more))
    return f"{HERE}/documents/{done.document_id}"


async def get(api: Api, place: str) -> Any:
    response = await api.client.get(place)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_collection_is_made_read_recut_and_deleted(api: Api) -> None:
    made = await api.client.put("/v1/collections/legal", json={"strategy": "fixed", "chunk_tokens": 64})
    assert made.status_code == 201
    again = await api.client.put("/v1/collections/legal", json={})
    assert (again.status_code, again.json()["type"]) == (409, "conflict")
    recut = await api.client.patch("/v1/collections/legal", json={"overlap_tokens": 10})
    assert recut.status_code == 200
    found = await get(api, "/v1/collections/legal")
    assert (found["strategy"], found["chunk_tokens"], found["overlap_tokens"]) == ("fixed", 64, 10)
    assert (await api.client.delete("/v1/collections/legal")).status_code == 204
    for response in (
        await api.client.get("/v1/collections/legal"),
        await api.client.delete("/v1/collections/legal"),
        await api.client.patch("/v1/collections/legal", json={}),
        await api.client.get("/v1/collections/legal/documents"),
        await api.client.get("/v1/collections/legal/failures"),
    ):
        assert (response.status_code, response.json()["type"]) == (404, "not-found")


@pytest.mark.parametrize(
    "wanted",
    [
        {"chunk_tokens": 64, "overlap_tokens": 64},
        {"chunk_tokens": 10**30},
        {"strategy": "magic"},
        {"embedder": "/no/such/folder"},
        {"embedder": "a\x00"},
    ],
)
async def test_a_collection_that_could_not_work_is_not_made(api: Api, wanted: dict[str, Any]) -> None:
    response = await api.client.put("/v1/collections/odd", json=wanted)
    assert response.status_code == 422, response.text
    assert (await api.client.get("/v1/collections/odd")).status_code == 404


async def test_versions_are_listed_read_and_restored(api: Api) -> None:
    await index(api, "The museum opens at nine.")
    place = await index(api, "The museum opens at ten.")
    new, old = (await get(api, f"{place}/versions"))["versions"]
    assert (new["current"], old["current"]) == (True, False)
    (chunk,) = (await get(api, f"{place}/chunks?version={old['version']}"))["chunks"]
    assert chunk["text"] == "The museum opens at nine."
    content = await api.client.get(f"{place}/content", params={"version": old["version"]})
    assert content.text == "The museum opens at nine."
    for _ in range(2):  # the second time it is the current one
        restored = await api.client.post(f"{place}/versions/{old['version'][:8]}/restore")
        assert (restored.status_code, restored.json()["version"]) == (200, old["version"])
    (chunk,) = (await get(api, f"{place}/chunks"))["chunks"]
    assert chunk["text"] == "The museum opens at nine."


async def test_a_version_whose_original_is_lost_is_not_said_to_be_restored(api: Api) -> None:
    await index(api, "The museum opens at nine.")
    place = await index(api, "The museum opens at ten.")
    new, old = (await get(api, f"{place}/versions"))["versions"]
    api.library.originals_path(old["version"]).unlink()
    response = await api.client.post(f"{place}/versions/{old['version']}/restore")
    assert (response.status_code, response.json()["type"]) == (422, "unreadable-document")
    assert (await get(api, place))["version"] == new["version"]
    assert (await api.client.get(f"{place}/content", params={"version": old["version"]})).status_code == 404


async def test_what_could_not_be_read_is_listed_with_its_reason(api: Api) -> None:
    await index(api, "", "empty.txt")
    (failure,) = (await get(api, f"{HERE}/failures"))["failures"]
    assert (failure["source"], failure["reason"]) == ("empty.txt", "empty")
    assert "empty.txt" in failure["message"]


async def test_a_document_of_others_does_not_exist(api: Api) -> None:
    place = await index(api, "A secret.", readers=("alice",))
    there = await api.library.catalog.find("default", place.rpartition("/")[2])
    assert there
    version = there.document.version
    for method, path in (
        ("GET", place),
        ("GET", f"{place}/chunks"),
        ("GET", f"{place}/chunks?version={version}"),
        ("GET", f"{place}/versions"),
        ("GET", f"{place}/content"),
        ("GET", f"{place}/content?version={version}"),
        ("POST", f"{place}/versions/{version}/restore"),
        ("DELETE", place),
    ):
        response = await api.client.request(method, path)
        assert (response.status_code, response.json()["type"]) == (404, "not-found"), path
    assert (await get(api, f"{HERE}/documents"))["documents"] == []
    assert await api.library.catalog.find("default", place.rpartition("/")[2])


@pytest.mark.parametrize(
    "odd", ["%00", "%ff", "..%2f..%2fetc", "%F0%9F%9A%8B", "x" * 5000, "'; DROP TABLE--", NO_VERSION]
)
async def test_odd_names_are_refused_and_break_nothing(api: Api, odd: str) -> None:
    place = await index(api, "The museum opens at nine.")
    for method, path in (
        ("GET", f"{HERE}/documents/{odd}"),
        ("DELETE", f"{HERE}/documents/{odd}"),
        ("GET", f"{HERE}/documents/{odd}/versions"),
        ("GET", f"{place}/chunks?version={odd}"),
        ("GET", f"{place}/content?version={odd}"),
        ("POST", f"{place}/versions/{odd}/restore"),
        ("GET", f"/v1/collections/{odd}"),
        ("PUT", f"/v1/collections/{odd}"),
        ("DELETE", f"/v1/collections/{odd}"),
        ("GET", f"/v1/collections/{odd}/failures"),
    ):
        response = await api.client.request(method, path)
        assert response.status_code in (404, 405, 422), f"{method} {path}: {response.text}"
        assert response.headers["content-type"] == "application/problem+json"
    assert (await api.client.get(f"{HERE}/documents?after={odd}")).status_code in (404, 422)
    assert (await get(api, place))["chunks"] == 1


async def test_what_is_deleted_twice_is_gone_once(api: Api) -> None:
    place = await index(api, "The museum opens at nine.")
    assert [(await api.client.delete(place)).status_code for _ in range(2)] == [204, 404]


def test_an_embedder_that_was_switched_meanwhile_is_worth_another_try() -> None:
    assert problem_of(StaleEmbedderError("again")).status == 503


async def test_a_collection_is_searched_before_during_and_after_its_embedder_changes(
    api: Api, encoders: tuple[str, str]
) -> None:
    for number in range(3):
        await index(api, f"This is the text of number {number}.", f"{number}.txt")

    async def search() -> tuple[set[str], str]:
        response = await api.client.post("/v1/search", json={"query": "the text of number 1", "top_k": 10})
        assert response.status_code == 200, response.text
        embedder = (await get(api, HERE))["embedder"]
        return {hit["source"] for hit in response.json()["hits"]}, embedder

    small, other = encoders
    assert await search() == ({"0.txt", "1.txt", "2.txt"}, small)
    steps = 0
    async for _ in api.library.reembedding.run("default", other):
        steps += 1
        if steps == 1:
            await index(api, "This came meanwhile.", "late.txt")
        assert await search() == ({"0.txt", "1.txt", "2.txt", "late.txt"}, small)
        assert (await get(api, HERE))["next_embedder"] == other
    assert steps
    assert await search() == ({"0.txt", "1.txt", "2.txt", "late.txt"}, other)
    await index(api, "This came afterwards.", "after.txt")
    assert (await search())[0] == {"0.txt", "1.txt", "2.txt", "late.txt", "after.txt"}


async def test_another_embedder_that_was_begun_can_be_called_off(api: Api, encoders: tuple[str, str]) -> None:
    small, other = encoders
    await index(api, "The museum opens at nine.")
    async for _ in api.library.reembedding.run("default", other):
        break
    assert (await get(api, HERE))["next_embedder"] == other
    assert [step async for step in api.library.reembedding.run("default", small)] == []
    assert ((await get(api, HERE))["embedder"], (await get(api, HERE))["next_embedder"]) == (small, "")
