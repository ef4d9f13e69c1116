"""Every setting of Footnote: the only reader of the environment. Nested names are joined by two underscores, as in
``FOOTNOTE_SERVING__MODEL``; a ``.env`` file in the working folder is read too."""

from __future__ import annotations

import hashlib
import re
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts import ConfigurationError, InvalidInputError, SearchMode

PROJECT_ROOT = Path(__file__).resolve().parent.parent
COLLECTION_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
LATE_INTERACTION = "late_interaction"
MOST_TOKENS = 8192  # of a chunk: as many as the longest sentence encoders read
_LONGEST_SOCKET_PATH = 103  # bytes; macOS allows 103, Linux 107


def _default_data_dir() -> Path:
    in_checkout = (PROJECT_ROOT / "pyproject.toml").exists()
    return PROJECT_ROOT / ".footnote" if in_checkout else Path.home() / ".footnote"


class ApiSettings(BaseModel):
    """Where the API and the chat page listen, by which other names they are called, and what a file may weigh. A caller
    may ask `requests_per_minute` (0: any number), and `burst` at once (0: what a minute allows)."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    allowed_hosts: list[str] = []
    max_upload_mb: int = Field(50, ge=1)
    requests_per_minute: float = Field(0, ge=0)
    burst: float = Field(0, ge=0)


class CatalogSettings(BaseModel):
    """The SQL catalog; an empty URL means SQLite in the data folder."""

    url: str = ""


class EmbeddingSettings(BaseModel):
    """The sentence encoder of new collections; an empty model means the packaged all-MiniLM-L6-v2, else a hub id or a
    folder. `auto` is the fastest runtime that agrees with float32: a GPU, else OpenVINO, else torch. 0 batch tokens or
    threads: as many as suit the machine."""

    model: str = ""
    runtime: Literal["auto", "torch", "openvino"] = "auto"
    batch_tokens: int = Field(0, ge=0)
    threads: int = Field(0, ge=0)


class IngestionSettings(BaseModel):
    """How documents are read, cut and kept. Chunk sizes are in tokens of the sentence encoder. Of the versions before
    the current one, the last `keep_versions` are kept, for `keep_version_days` days.

    `passwords` are tried on protected files. An archive may hold `max_members` files with `max_unpacked_mb` in all.
    A file may take `parse_seconds`, and each of the `parse_workers` processes (0: one less than there are cores, fewer
    where memory is short) may hold `parse_memory_mb`.

    A worker runs `concurrent_jobs` uploads at once, `max_queued_jobs` may wait, and one that `job_attempts` workers
    died of has failed.
    """

    chunk_tokens: int = Field(180, ge=32, le=MOST_TOKENS)
    chunk_overlap_tokens: int = Field(24, ge=0, le=MOST_TOKENS)
    keep_versions: int = Field(10, ge=0)
    keep_version_days: float = Field(90, ge=0)
    max_file_mb: int = Field(100, ge=1)
    max_unpacked_mb: int = Field(2048, ge=1)
    max_members: int = Field(20_000, ge=1)
    passwords: list[SecretStr] = []
    parse_seconds: float = Field(300, gt=0)
    parse_memory_mb: int = Field(3072, ge=512)
    parse_workers: int = Field(0, ge=0)
    concurrent_jobs: int = Field(2, ge=1)
    max_queued_jobs: int = Field(1000, ge=1)
    job_attempts: int = Field(3, ge=1)


class RetrievalSettings(BaseModel):
    """What a search returns. `floor` is the cosine similarity below which there is no evidence.

    Each view gives `candidates`, `fusion` makes one list of them, `reranker` judges the best `rerank_depth` again: a
    cross-encoder's hub id or folder, or `late_interaction`, which compares token by token with the embedding model.
    `diversity` above 0, up to 1, prefers passages that differ. A passage may grow by its neighbours to `expand_tokens`;
    0 leaves it as it was found.

    `min_answerability` is how likely, 0 to 1, it must be that the passages answer the question at all (0: any may; by
    default what keeps 98% of those that can be answered). A follow-up sees `history_tokens` of its conversation.

    `rephrase` searches in other words too: by questions that the model makes of the question, or by a passage that it
    imagines (HyDE). `condense` tells who turns a follow-up into a question that stands alone: a rule, or the model;
    `auto` takes the model unless it is the packaged one, which is too small for it.
    """

    top_k: int = Field(8, ge=1, le=100)
    prompt_sources: int = Field(3, ge=1, le=20)
    floor: float = Field(0.25, ge=-1, le=1)
    min_answerability: float | None = Field(None, ge=0, le=1)
    history_tokens: int = Field(600, ge=0)
    mode: SearchMode = SearchMode.HYBRID
    candidates: int = Field(100, ge=10, le=1000)
    fusion: Literal["convex", "theoretical", "weighted_score", "z_score", "reciprocal_rank"] = "convex"
    reranker: str = ""
    rerank_depth: int = Field(20, ge=1, le=1000)
    diversity: float = Field(0.0, ge=0, le=1)
    expand_tokens: int = Field(0, ge=0, le=MOST_TOKENS)
    rephrase: Literal["off", "multi_query", "hyde"] = "off"
    condense: Literal["auto", "rule", "model"] = "auto"


class BackendSettings(BaseModel):
    """How a server is spoken to: by OpenAI's protocol, or by Anthropic's. A connection is waited for up to `connect_s`,
    the first token of an answer up to `timeout_s`, and each further one up to `stall_s`."""

    protocol: Literal["openai", "anthropic"] = "openai"
    api_key: SecretStr = SecretStr("")
    connect_s: float = Field(5, gt=0)
    timeout_s: float = Field(60, gt=0)
    stall_s: float = Field(30, gt=0)


class FallbackSettings(BackendSettings):
    """A model on another server, which is asked while those before it are away."""

    model: str = Field(min_length=1)
    base_url: str = Field(min_length=1)


class ServingSettings(BackendSettings):
    """The language model: an empty model means the packaged SmolLM2-135M-Instruct, else a hub id, a folder, a GGUF file
    or a Python package that carries one; a base URL means a server that already runs. `focus_sentences` shortens the
    sources to that many sentences (0: whole passages); by default 2 for the packaged model, which is too small for
    more, and whole passages for others. `fallbacks` are asked in order while the servers before them are away; one that
    failed `breaker_failures` times in a row is left alone for `breaker_rest_s`. With `pass_through` a request to the
    OpenAI-compatible API that names the language model itself goes to its server as it is, without documents and
    guards.

    Each API process has `concurrent_requests` to the model at once; `queued_requests` may wait for a place, each for
    `patience_s`. With `prefix_reuse` passages are put in the order in which the model server has most of them in its
    prefix cache.

    Our own server: 0 for `kv_cache_gb`, `tensor_parallel` (GPUs) and `max_sequences` (computed together) is what suits
    the machine. Of a GPU's memory it takes up to `gpu_fraction`. Without a choice execution is `eager` on a CPU, where
    it starts sooner, and compiled on a GPU. `quantization` is done while loading, `int8` once before;
    `server_arguments` go to vLLM as they are."""

    model: str = ""
    base_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(8001, ge=1, le=65535)
    focus_sentences: int | None = Field(None, ge=0)
    max_tokens: int = Field(160, ge=1)
    temperature: float = Field(0.0, ge=0)
    context_tokens: int = Field(4096, ge=256)
    kv_cache_gb: float = Field(0, ge=0)
    eager: bool | None = None
    quantization: str = ""
    tensor_parallel: int = Field(0, ge=0)
    gpu_fraction: float = Field(0.9, gt=0, le=1)
    max_sequences: int = Field(0, ge=0)
    server_arguments: list[str] = []
    fallbacks: list[FallbackSettings] = []
    breaker_failures: int = Field(3, ge=1)
    breaker_rest_s: float = Field(5, gt=0)
    pass_through: bool = True
    concurrent_requests: int = Field(128, ge=1)
    queued_requests: int = Field(1024, ge=0)
    patience_s: float = Field(60, gt=0)
    prefix_reuse: bool = True


class CacheSettings(BaseModel):
    """What is kept of answers, question vectors and rates. An empty URL means the embedded Redis, of `max_memory_mb`,
    on a private socket in the data folder; `sqlite:///file` is for where no Redis is wanted. With `semantic`, the
    answer to one question may serve another that asks the same in other words. Refusals are kept for `refusal_ttl_s`.
    """

    url: str = ""
    enabled: bool = True
    semantic: bool = True
    ttl_s: int = Field(86_400, ge=1)
    refusal_ttl_s: int = Field(300, ge=1)
    vector_ttl_s: int = Field(86_400, ge=1)
    timeout_s: float = Field(0.5, gt=0)
    max_memory_mb: int = Field(256, ge=16)


class ValidationSettings(BaseModel):
    """The guards on questions, passages and answers: `policies` is the folder of their policy files, by default in the
    data folder."""

    policies: Path | None = None


class ObservabilitySettings(BaseModel):
    """MLflow; an empty URL means the server that `footnote up` starts."""

    mlflow_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(5000, ge=1, le=65535)
    experiment: str = "footnote"
    trace_text: bool = True
    queue_size: int = Field(2048, ge=1)


class Settings(BaseSettings):
    """All settings, read once at start."""

    model_config = SettingsConfigDict(
        env_prefix="FOOTNOTE_", env_nested_delimiter="__", env_file=".env", extra="ignore"
    )

    data_dir: Path = Field(default_factory=_default_data_dir)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    api: ApiSettings = ApiSettings()
    catalog: CatalogSettings = CatalogSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    ingestion: IngestionSettings = IngestionSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    serving: ServingSettings = ServingSettings()
    cache: CacheSettings = CacheSettings()
    validation: ValidationSettings = ValidationSettings()
    observability: ObservabilitySettings = ObservabilitySettings()

    @property
    def index_dir(self) -> Path:
        """Where snapshots of the dense views lie; they can be deleted."""
        return self.data_dir / "index"

    @property
    def words_dir(self) -> Path:
        """Where the sparse views lie; they can be deleted."""
        return self.data_dir / "words"

    @property
    def policies_dir(self) -> Path:
        """Where the policy files of the guards lie, if there are any."""
        return self.validation.policies or self.data_dir / "policies"

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy URL of the catalog."""
        return self.catalog.url or f"sqlite:///{self.data_dir / 'catalog.sqlite'}"

    @property
    def jobs_url(self) -> str:
        """SQLAlchemy URL of the ingestion jobs: the catalog's where that is PostgreSQL, else a file of their own."""
        shared = self.catalog.url.startswith("postgres")
        return self.catalog.url if shared else f"sqlite:///{self.data_dir / 'jobs.sqlite'}"

    @property
    def redis_socket(self) -> Path:
        """Unix socket of the embedded Redis; in the system's folder for temporary files when the path is too long."""
        path = self.data_dir / "redis.sock"
        if len(str(path).encode()) <= _LONGEST_SOCKET_PATH:
            return path
        name = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"footnote-{name}" / "redis.sock"

    @property
    def cache_url(self) -> str:
        """URL of Redis."""
        return self.cache.url or f"unix://{self.redis_socket}"

    @property
    def model_name(self) -> str:
        """Name under which the model server knows the model; empty for whatever a server that already runs has."""
        return self.serving.model or ("" if self.serving.base_url else "smollm2-135m-instruct")

    @property
    def has_packaged_model(self) -> bool:
        """Whether the language model is the packaged one, which is too small for more than a few sentences."""
        return not (self.serving.model or self.serving.base_url)

    @property
    def focus_sentences(self) -> int:
        """How many sentences of the sources the model is shown; 0 stands for whole passages."""
        if self.serving.focus_sentences is not None:
            return self.serving.focus_sentences
        return 2 if self.has_packaged_model else 0

    @property
    def model_url(self) -> str:
        """Base URL of the OpenAI-compatible model server, ending in /v1."""
        return self.serving.base_url or f"http://{self.serving.host}:{self.serving.port}/v1"

    @property
    def mlflow_url(self) -> str:
        """URL of the MLflow server."""
        return self.observability.mlflow_url or f"http://{self.observability.host}:{self.observability.port}"


def shown_url(url: str) -> str:
    """Return `url` without what may hold a password: the user and the query.

    >>> shown_url("redis://:secret@cache:6379/0?password=secret")
    'redis://cache:6379/0'
    """
    return re.sub(r"(?<=://)[^/]*@", "", url.partition("?")[0])


def load_settings() -> Settings:
    """Read the settings. Raises ConfigurationError naming each wrong one."""
    try:
        settings = Settings()
    except ValidationError as exc:
        wrong = "; ".join(
            f"FOOTNOTE_{'__'.join(str(part) for part in error['loc']).upper()}: {error['msg']}"
            for error in exc.errors()
        )
        raise ConfigurationError(f"Wrong setting: {wrong}") from exc
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().resolve()})


def check_collection_name(name: str) -> str:
    """Return `name`. Raises InvalidInputError when no collection can be called so."""
    if not re.fullmatch(COLLECTION_NAME, name):
        raise InvalidInputError(
            f"{name!r} is no collection name: use up to 64 letters, digits, - and _, first a letter or digit."
        )
    return name


def heeds_proxy(url: str) -> bool:
    """Return whether calls to `url` go by the proxy variables: one set there does not lead back to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host != "localhost" and not ip_address(host).is_loopback
    except ValueError:
        return True
