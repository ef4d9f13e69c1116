"""The chat page in a real browser, over the running product."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

WAIT_MS = 60_000


def browser_binary() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "No Chromium on the PATH; `make test` installs it, or install one from your system's packages."
    return found


@pytest.fixture
async def page(stack: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_binary(), args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda request: _stays_here(request.url, stack))
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(stack)
        yield page
        await browser.close()
        assert errors == []


def _stays_here(url: str, stack: str) -> None:
    assert url.startswith((stack, "data:", "blob:")), f"the page asked {url}"


async def ask(page: Page, question: str) -> None:
    await page.get_by_test_id("question").fill(question)
    await page.get_by_test_id("send").click()


async def test_ask_and_read_the_cited_passage(page: Page) -> None:
    await ask(page, "How high above sea level is Tarnbeck Hut?")
    await expect(page.get_by_test_id("answer").last).to_contain_text("2,146", timeout=WAIT_MS)
    await page.get_by_test_id("citation").first.click()
    panel = page.get_by_test_id("source-panel")
    await expect(panel.get_by_test_id("source-title")).to_contain_text("Visitor Handbook")
    await expect(panel.get_by_test_id("source-page")).to_contain_text("1")
    await expect(panel.get_by_test_id("source-text")).to_contain_text("2,146 metres above sea level")


async def test_upload_a_file_watch_it_become_searchable_and_ask_about_it(page: Page, tmp_path: Path) -> None:
    note = tmp_path / "observatory.txt"
    note.write_text("The observatory on Kettle Ridge was founded by Ada Winterbourne in 1887.")
    await page.get_by_test_id("upload-input").set_input_files(note)
    await expect(page.get_by_test_id("upload-item").first).to_contain_text("Searchable", timeout=WAIT_MS)
    await expect(page.get_by_test_id("documents")).to_contain_text("observatory")

    await ask(page, "Who founded the observatory on Kettle Ridge?")
    await expect(page.get_by_test_id("answer").last).to_contain_text("Ada Winterbourne", timeout=WAIT_MS)
    await page.get_by_test_id("citation").last.click()
    await expect(page.get_by_test_id("source-text")).to_contain_text("Kettle Ridge")


async def test_a_question_that_the_documents_do_not_answer_is_refused(page: Page) -> None:
    await ask(page, "Which vaccinations do I need for a journey to Kenya?")
    await expect(page.get_by_test_id("answer").last).to_contain_text("no answer", ignore_case=True, timeout=WAIT_MS)
