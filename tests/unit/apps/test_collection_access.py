"""Who sees which collections and documents, over HTTP and on the command line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from apps.api.deps import CallerDep
from apps.cli.main import app as cli
from contracts import Caller, Job
from tests.small_encoder import make_small_encoder
from tests.unit.apps.test_api import Api
from tests.unit.apps.test_api_documents import get, index

ALICE, BOB = Caller("alice", ("staff",)), Caller("bob")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_small_encoder(tmp_path_factory.mktemp("encoders") / "small"))


@pytest.fixture
async def api(tmp_path: Path, encoder: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING__MODEL", encoder)
    made = Api(tmp_path)
    async with made.client:
        yield made
    await made.library.aclose()


def become(api: Api, caller: Caller) -> None:
    """Let every request come from this caller, as keys will."""
    app: FastAPI = api.client._transport.app  # type: ignore[attr-defined]
    app.dependency_overrides[get_args(CallerDep)[1].dependency] = lambda: caller


async def refused(api: Api, method: str, place: str, **more: Any) -> str:
    """Return the words of a 404."""
    response = await api.client.request(method, place, **more)
    assert (response.status_code, response.json()["type"]) == (404, "not-found"), f"{method} {place}"
    detail: str = response.json()["detail"]
    return detail


async def test_readers_are_given_at_first_and_changed_later(api: Api) -> None:
    become(api, ALICE)
    made = await api.client.put("/v1/collections/legal", json={"readers": ["staff", "carol", "staff"]})
    assert (made.status_code, made.json()["readers"]) == (201, ["carol", "staff"])
    assert (await api.client.put("/v1/collections/open", json={})).json()["readers"] == ["*"]
    changed = await api.client.patch("/v1/collections/legal", json={"readers": ["alice"], "chunk_tokens": 64})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["readers"], changed.json()["chunk_tokens"]) == (["alice"], 64)
    assert (await get(api, "/v1/collections/legal"))["readers"] == ["alice"]
    recut = await api.client.patch("/v1/collections/legal", json={"overlap_tokens": 8})
    assert (recut.json()["readers"], recut.json()["chunk_tokens"]) == (["alice"], 64)
    assert recut.json()["generation"] == changed.json()["generation"]


@pytest.mark.parametrize("readers", [[], [""], ["a,b"], ["a\n"], ["x" * 201], "alice", None])
async def test_odd_readers_are_refused(api: Api, readers: object) -> None:
    response = await api.client.put("/v1/collections/legal", json={"readers": readers})
    assert response.status_code == 422, response.text
    assert (await api.client.get("/v1/collections/legal")).status_code == 404


async def test_a_collection_of_others_is_like_one_that_is_not_there(api: Api) -> None:
    become(api, ALICE)
    place = (await index(api, "A secret.", collection="default")).replace("default", "legal")
    done = await index(api, "A secret.", collection="legal")
    document = done.rpartition("/")[2]
    place = f"/v1/collections/legal/documents/{document}"
    await api.library.collections.share("legal", ["staff"])
    assert (await get(api, place))["chunks"] == 1
    version = (await get(api, place))["version"]
    become(api, BOB)
    for method, path, more in (
        ("GET", "", {}),
        ("PATCH", "", {"json": {"readers": ["bob"]}}),
        ("DELETE", "", {}),
        ("GET", "/failures", {}),
        ("GET", "/documents", {}),
        ("GET", f"/documents?after={document}", {}),
        ("GET", f"/documents/{document}", {}),
        ("GET", f"/documents/{document}/chunks", {}),
        ("GET", f"/documents/{document}/versions", {}),
        ("GET", f"/documents/{document}/content", {}),
        ("GET", f"/documents/{document}/content?version={version}", {}),
        ("POST", f"/documents/{document}/versions/{version}/restore", {}),
        ("DELETE", f"/documents/{document}", {}),
    ):
        closed = await refused(api, method, f"/v1/collections/legal{path}", **more)
        missing = await refused(api, method, f"/v1/collections/nope{path}", **more)
        assert closed.replace("legal", "nope") == missing
    assert [each["name"] for each in (await get(api, "/v1/collections"))["collections"]] == ["default"]
    become(api, ALICE)
    assert (await get(api, place))["chunks"] == 1


async def test_counts_and_pages_hold_only_what_the_caller_may_read(api: Api) -> None:
    for number in range(6):
        await index(api, f"Text {number}.", f"{number}.txt", readers=("staff",) if number % 3 else None)
    become(api, BOB)
    found = await get(api, "/v1/collections/default")
    assert (found["documents"], found["chunks"]) == (2, 2)
    first = await get(api, "/v1/collections/default/documents?limit=1")
    assert [each["source"] for each in first["documents"]] == ["0.txt"]
    second = await get(api, f"/v1/collections/default/documents?limit=1&after={first['next']}")
    assert [each["source"] for each in second["documents"]] == ["3.txt"]
    last = await get(api, f"/v1/collections/default/documents?limit=1&after={second['next']}")
    assert (last["documents"], last["next"]) == ([], None)
    become(api, ALICE)
    every = (await get(api, "/v1/collections/default/documents?limit=4"))["documents"]
    assert [each["source"] for each in every] == ["0.txt", "1.txt", "2.txt", "3.txt"]
    become(api, BOB)
    hidden, never = every[1]["id"], "f" * 32
    words = [await refused(api, "GET", f"/v1/collections/default/documents?after={each}") for each in (hidden, never)]
    assert words[0].replace(hidden, never) == words[1]


async def test_an_empty_default_collection_of_others_is_empty(api: Api) -> None:
    await index(api, "A secret.")
    await api.library.collections.share("default", ["staff"])
    assert (await get(api, "/v1/collections/default/documents"))["documents"] == []


async def test_nobody_puts_files_into_a_collection_that_is_closed_to_them(api: Api) -> None:
    await api.client.put("/v1/collections/legal", json={"readers": ["staff"]})
    files = [("files", ("a.txt", b"A text."))]
    become(api, BOB)
    assert (await api.client.post("/v1/collections/legal/documents", files=files)).status_code == 404
    become(api, ALICE)
    assert (await api.client.post("/v1/collections/legal/documents", files=files)).status_code == 202


async def test_jobs_of_closed_collections_do_not_exist(api: Api) -> None:
    jobs = [
        Job("1" * 32, "open", "upload/open.txt", ""),
        Job("2" * 32, "open", "upload/staff.txt", "", readers=("staff",)),
        Job("3" * 32, "legal", "upload/legal.txt", ""),
    ]
    await api.client.put("/v1/collections/open", json={})
    await api.client.put("/v1/collections/legal", json={"readers": ["staff"]})
    await api.library.jobs.enqueue(jobs)
    become(api, ALICE)
    assert len((await get(api, "/v1/jobs"))["jobs"]) == 3
    become(api, BOB)
    assert {each["source"] for each in (await get(api, "/v1/jobs"))["jobs"]} == {"upload/open.txt", "upload/staff.txt"}
    never, hidden = "f" * 32, "3" * 32
    for method, more in (("GET", ""), ("GET", "/events"), ("DELETE", "")):
        words = [await refused(api, method, f"/v1/jobs/{each}{more}") for each in (hidden, never)]
        assert words[0].replace(hidden, never) == words[1]


def test_the_command_line_shares_and_shows(tmp_path: Path, encoder: str) -> None:
    runner = CliRunner(env={"FOOTNOTE_DATA_DIR": str(tmp_path), "FOOTNOTE_EMBEDDING__MODEL": encoder})

    def footnote(*words: str) -> str:
        done = runner.invoke(cli, words)
        assert done.exit_code == 0, done.output
        return done.stdout

    footnote("collections", "create", "legal", "--readers", "staff, alice")
    footnote("collections", "create", "open")
    listed = {each["name"]: each["readers"] for each in json.loads(footnote("collections", "--json"))}
    assert listed == {"legal": ["alice", "staff"], "open": ["*"]}
    assert footnote("collections", "share", "legal", "carol", "bob") == "Collection 'legal' is for bob, carol now.\n"
    assert "bob, carol" in footnote("collections")
    assert footnote("collections", "share", "legal", "bob", "*") == "Collection 'legal' is for everyone now.\n"
    done = runner.invoke(cli, ["collections", "share", "nowhere", "bob"])
    assert done.exit_code == 1 and "No collection 'nowhere'" in done.output
