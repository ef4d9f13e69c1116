"""What people build from LangChain, FAISS, Guardrails AI, MLflow and FastAPI as their documentation shows it: a
question comes in by HTTP, is checked, answered from the passages and checked again.

Run by bench_answering in an environment of the peers: ``python answering_peer.py PORT CORPUS FOLDER``; the settings
come as environment variables. The FAISS index is kept in FOLDER. Guardrails' validators are written as its page on
custom validators shows, which is faster than those of its hub; its own telemetry is off.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import mlflow
import uvicorn
from fastapi import FastAPI, HTTPException
from guardrails import AsyncGuard, OnFailAction
from guardrails.validator_base import FailResult, PassResult, ValidationResult, Validator, register_validator
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_openai import ChatOpenAI
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pydantic import BaseModel

PROMPT = ChatPromptTemplate.from_messages(
    [
        (
            "system",
            "You are an assistant for question-answering tasks. Use the numbered sources to answer the question, in "
            "three sentences at most, each with the number of its source in brackets. If you don't know the answer, "
            "just say that you don't know.",
        ),
        ("human", "Sources:\n{context}\n\nQuestion: {question}"),
    ]
)


@register_validator(name="peer/length", data_type="string")
class Length(Validator):
    """Between `min` and `max` characters."""

    def __init__(self, min: int, max: int, on_fail: Any = None) -> None:
        super().__init__(on_fail=on_fail, min=min, max=max)
        self._min, self._max = min, max

    def validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if self._min <= len(value) <= self._max:
            return PassResult()
        return FailResult(error_message=f"It has {len(value)} characters.")


@register_validator(name="peer/no_match", data_type="string")
class NoMatch(Validator):
    """Nothing in it matches a pattern."""

    def __init__(self, pattern: str, on_fail: Any = None) -> None:
        super().__init__(on_fail=on_fail, pattern=pattern)
        self._pattern = re.compile(pattern, re.IGNORECASE)

    def validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        found = self._pattern.search(value)
        return FailResult(error_message=f"It says {found.group()!r}.") if found else PassResult()


@register_validator(name="peer/ban_list", data_type="string")
class BanList(Validator):
    """None of these words is in it."""

    def __init__(self, banned: list[str], on_fail: Any = None) -> None:
        super().__init__(on_fail=on_fail, banned=banned)
        self._banned = banned

    def validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        text = value.lower()
        found = [word for word in self._banned if word in text]
        return FailResult(error_message=f"It says {found}.") if found else PassResult()


INJECTION = r"ignore (?:all |the )?(?:previous|above) instructions|system prompt|you are now|jailbreak"
SECRET = r"sk-[a-z0-9]{20,}|AKIA[0-9A-Z]{16}|\b\d{3}-\d{2}-\d{4}\b|[\w.+-]+@[\w-]+\.[a-z]{2,}"
BANNED = ["bomb recipe", "credit card number", "kill yourself", "buy now"]

input_guard = AsyncGuard().use(
    Length(1, 4000, on_fail=OnFailAction.NOOP),
    NoMatch(INJECTION, on_fail=OnFailAction.NOOP),
    BanList(BANNED, on_fail=OnFailAction.NOOP),
)
output_guard = AsyncGuard().use(
    Length(1, 8000, on_fail=OnFailAction.NOOP),
    NoMatch(SECRET, on_fail=OnFailAction.NOOP),
    BanList(BANNED, on_fail=OnFailAction.NOOP),
)


class Ask(BaseModel):
    """The body of a question."""

    question: str


class Said(BaseModel):
    """The body of an answer."""

    answer: str


def open_store(corpus: Path, folder: Path) -> FAISS:
    """Return the store of the corpus, from `folder` where it was kept."""
    embeddings = HuggingFaceEmbeddings(model_name=os.environ["PEER_EMBEDDER"])
    if folder.exists():
        return FAISS.load_local(str(folder), embeddings, allow_dangerous_deserialization=True)
    documents = [Document(page_content=text) for text in json.loads(corpus.read_text("utf-8"))]
    splits = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(documents)
    store = FAISS.from_documents(splits, embeddings)
    store.save_local(str(folder))
    return store


def numbered(documents: list[Document]) -> str:
    """Return the passages under their numbers."""
    return "\n\n".join(f"[{n}] Source\n{document.page_content}" for n, document in enumerate(documents, start=1))


def create_app(store: FAISS) -> FastAPI:
    """Return the API."""
    retriever = store.as_retriever(search_kwargs={"k": int(os.environ["PEER_HITS"])})
    llm = ChatOpenAI(
        model=os.environ["PEER_MODEL"], base_url=os.environ["PEER_MODEL_URL"], api_key="none", temperature=0
    )
    chain = {"context": retriever | numbered, "question": RunnablePassthrough()} | PROMPT | llm | StrOutputParser()
    app = FastAPI()

    @app.post("/ask")
    async def ask(body: Ask) -> Said:
        checked = await input_guard.validate(body.question)
        if not checked.validation_passed:
            raise HTTPException(422, "The question was refused.")
        answer = await chain.ainvoke(body.question)
        outcome = await output_guard.validate(answer)
        if not outcome.validation_passed:
            raise HTTPException(422, "The answer was refused.")
        return Said(answer=str(outcome.validated_output))

    @app.get("/healthz")
    async def healthy() -> str:
        return "ok"

    return app


def main() -> None:
    """Serve."""
    port, corpus, folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    store = open_store(corpus, folder)
    if os.environ.get("MLFLOW_TRACKING_URI"):
        mlflow.set_experiment("peer")
        mlflow.langchain.autolog()
    uvicorn.run(create_app(store), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
