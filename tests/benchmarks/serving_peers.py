"""What people build from LangChain or LlamaIndex and FastAPI, as their documentation shows it, to stream an answer from
passages: retrieve, fill the prompt, send on what the model writes.

Run by bench_serving in an environment of the peers: ``python serving_peers.py langchain|llamaindex PORT CORPUS
FOLDER``; the settings come as environment variables. Indexes are kept in FOLDER. Each piece of the answer is an event.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

Stream = Callable[[str], AsyncIterator[str]]  # a question to the pieces of its answer

EMBEDDER = os.environ["PEER_EMBEDDER"]
HITS = int(os.environ["PEER_HITS"])
MODEL = os.environ["PEER_MODEL"]
MODEL_URL = os.environ["PEER_MODEL_URL"]
MAX_TOKENS = int(os.environ["PEER_MAX_TOKENS"])


class Ask(BaseModel):
    """The body of a question."""

    question: str


def langchain(texts: list[str], folder: Path) -> Stream:
    """Return a chain on FAISS, as LangChain's tutorial on retrieval builds one."""
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnablePassthrough
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_openai import ChatOpenAI
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    prompt = ChatPromptTemplate.from_template(
        "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer "
        "the question. If you don't know the answer, just say that you don't know. Use three sentences maximum and "
        "keep the answer concise.\n\nQuestion: {question}\n\nContext: {context}\n\nAnswer:"
    )
    embeddings = HuggingFaceEmbeddings(model_name=EMBEDDER)
    if folder.exists():
        store = FAISS.load_local(str(folder), embeddings, allow_dangerous_deserialization=True)
    else:
        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        splits = splitter.split_documents([Document(page_content=text) for text in texts])
        store = FAISS.from_documents(splits, embeddings)
        store.save_local(str(folder))

    def joined(documents: list[Document]) -> str:
        return "\n\n".join(document.page_content for document in documents)

    llm = ChatOpenAI(model=MODEL, base_url=MODEL_URL, api_key="none", temperature=0, max_tokens=MAX_TOKENS)
    retriever = store.as_retriever(search_kwargs={"k": HITS})
    chain = {"context": retriever | joined, "question": RunnablePassthrough()} | prompt | llm | StrOutputParser()
    return chain.astream


def llamaindex(texts: list[str], folder: Path) -> Stream:
    """Return a query engine on LlamaIndex's own store, as its starter tutorial builds one."""
    from llama_index.core import Document, Settings, StorageContext, VectorStoreIndex, load_index_from_storage
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.llms.openai_like import OpenAILike

    Settings.embed_model = HuggingFaceEmbedding(model_name=EMBEDDER)
    Settings.llm = OpenAILike(
        model=MODEL,
        api_base=MODEL_URL,
        api_key="none",
        is_chat_model=True,
        context_window=4096,
        max_tokens=MAX_TOKENS,
        temperature=0,
    )
    if folder.exists():
        index = load_index_from_storage(StorageContext.from_defaults(persist_dir=str(folder)))
    else:
        index = VectorStoreIndex.from_documents([Document(text=text) for text in texts])
        index.storage_context.persist(persist_dir=str(folder))
    engine = index.as_query_engine(streaming=True, similarity_top_k=HITS)

    async def stream(question: str) -> AsyncIterator[str]:
        response = await engine.aquery(question)
        async for piece in response.async_response_gen():
            yield piece

    return stream


def create_app(stream: Stream) -> FastAPI:
    """Return the API."""
    app = FastAPI()

    @app.post("/ask")
    async def ask(body: Ask) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            async for piece in stream(body.question):
                yield f"data: {json.dumps(piece)}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    @app.get("/healthz")
    async def healthy() -> str:
        return "ok"

    return app


def main() -> None:
    """Serve."""
    kind, port, corpus, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    build = {"langchain": langchain, "llamaindex": llamaindex}[kind]
    stream = build(json.loads(corpus.read_text("utf-8")), folder)
    uvicorn.run(create_app(stream), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
