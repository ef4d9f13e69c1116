"""LlamaIndex's and LangChain's ingestion of a folder, each as its documentation shows it, in a process of its own.

Run by bench_ingestion in an environment of the peers: ``python ingestion_peers.py PEER FOLDER MODEL QUERIES``, where
QUERIES is a JSON file with queries by id. It prints a line when the folder is searchable, and then, as JSON, how many
files and chunks it read and the file names found for each query.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEARCHABLE = "searchable"
TOP = 20  # chunks, in which the first ten files are looked for
Search = Callable[[str], list[str]]


def llamaindex(folder: str, model: str) -> tuple[int, int, Search]:
    """SimpleDirectoryReader, IngestionPipeline with SentenceSplitter and HuggingFaceEmbedding, FAISS."""
    import faiss
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.core.ingestion import IngestionPipeline
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.faiss import FaissVectorStore

    documents = SimpleDirectoryReader(folder, recursive=True).load_data()
    embedder = HuggingFaceEmbedding(model_name=model)
    nodes = IngestionPipeline(transformations=[SentenceSplitter(), embedder]).run(documents=documents)
    store = FaissVectorStore(faiss_index=faiss.IndexFlatL2(384))
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex(list(nodes), storage_context=context, embed_model=embedder)
    retriever = index.as_retriever(similarity_top_k=TOP)

    def search(query: str) -> list[str]:
        return [hit.node.metadata["file_name"] for hit in retriever.retrieve(query)]

    return len({document.metadata["file_path"] for document in documents}), len(nodes), search


def langchain(folder: str, model: str) -> tuple[int, int, Search]:
    """DirectoryLoader, RecursiveCharacterTextSplitter, FAISS.from_documents with HuggingFaceEmbeddings."""
    from langchain_community.vectorstores import FAISS
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    documents = [document for loader in _loaders(folder) for document in loader.load()]
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
    chunks = splitter.split_documents(documents)
    store = FAISS.from_documents(chunks, HuggingFaceEmbeddings(model_name=model))

    def search(query: str) -> list[str]:
        return [Path(hit.metadata["source"]).name for hit in store.similarity_search(query, k=TOP)]

    return len({document.metadata["source"] for document in documents}), len(chunks), search


def _loaders(folder: str) -> list[Any]:
    """Return a loader for the files of each kind: the default one for all kinds wants to download a model."""
    from langchain_community.document_loaders import (
        BSHTMLLoader,
        CSVLoader,
        DirectoryLoader,
        Docx2txtLoader,
        PyPDFLoader,
        TextLoader,
    )

    kinds: dict[str, Any] = {
        "txt": TextLoader,
        "md": TextLoader,
        "csv": CSVLoader,
        "html": BSHTMLLoader,
        "pdf": PyPDFLoader,
        "docx": Docx2txtLoader,
    }
    return [
        DirectoryLoader(folder, glob=f"**/*.{suffix}", loader_cls=kind, silent_errors=True)
        for suffix, kind in kinds.items()
    ]


def main() -> None:
    """Ingest, say so, then search."""
    peer, folder, model, queries = sys.argv[1:]
    files, chunks, search = {"llamaindex": llamaindex, "langchain": langchain}[peer](folder, model)
    print(SEARCHABLE, flush=True)
    asked = json.loads(Path(queries).read_text("utf-8"))
    found = {key: search(query) for key, query in asked.items()}
    print(json.dumps({"files": files, "chunks": chunks, "found": found}))


if __name__ == "__main__":
    main()
