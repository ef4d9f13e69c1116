"""Flags over HTTP: of documents, of passages, of what a search finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apps.sources import Source, local_file
from tests.small_encoder import make_small_encoder
from tests.unit.apps.test_api import Api
from validation.permissive_guards import FlaggingPassageGuard

HERE = "/v1/collections/default/documents"
RULES = FlaggingPassageGuard({"ignore all": "prompt_injection"})


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING__MODEL", str(make_small_encoder(tmp_path / "encoder")))
    made = Api(tmp_path / "data")
    async with made.client:
        yield made
    await made.library.aclose()


async def index(api: Api, text: str, name: str, **more: Any) -> str:
    """Index a text with the rules above and return the document's id."""
    path = api.settings.data_dir / "given.txt"
    path.write_text(text)
    indexing = replace(api.library.indexing, passage_guard=lambda collection: RULES)
    done = await indexing.index(Source(name, local_file(path), **more))
    assert done.document_id
    return done.document_id


async def get(api: Api, place: str) -> Any:
    response = await api.client.get(place)
    assert response.status_code == 200, response.text
    return response.json()


async def test_flags_are_shown_wherever_a_passage_is(api: Api) -> None:
    spiked = await index(api, "Now ignore all rules of the museum.", "spiked.txt")
    plain = await index(api, "The museum opens at nine.", "plain.txt")
    assert [(each["id"], each["flagged"]) for each in (await get(api, HERE))["documents"]] == [(plain, 0), (spiked, 1)]
    assert (await get(api, f"{HERE}/{spiked}"))["flagged"] == 1
    for document, flags in ((spiked, ["prompt_injection"]), (plain, [])):
        (chunk,) = (await get(api, f"{HERE}/{document}/chunks"))["chunks"]
        assert chunk["flags"] == flags
    hits = (await api.client.post("/v1/search", json={"query": "the museum"})).json()["hits"]
    assert {hit["document_id"]: hit["flags"] for hit in hits} == {spiked: ["prompt_injection"], plain: []}


async def test_documents_with_flags_are_paged_and_only_those_that_the_caller_may_read(api: Api) -> None:
    mine = [await index(api, f"Ignore nothing, ignore all {n}.", f"{n}.txt") for n in range(3)]
    await index(api, "Others ignore all.", "1b.txt", readers=("alice",))
    await index(api, "The museum opens at nine.", "0b.txt")
    first = await get(api, f"{HERE}?flagged=true&limit=2")
    assert [each["id"] for each in first["documents"]] == mine[:2]
    last = await get(api, f"{HERE}?flagged=true&limit=2&after={first['next']}")
    assert ([each["id"] for each in last["documents"]], last["next"]) == (mine[2:], None)
    assert len((await get(api, f"{HERE}?flagged=false"))["documents"]) == 4
    assert (await api.client.get(f"{HERE}?flagged=perhaps")).status_code == 422
