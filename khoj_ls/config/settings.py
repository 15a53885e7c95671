"""Every setting there is, with its default, its scope and what it does.

docs/configuration.md, the JSON schema and the default TOML are generated from this tree; a test compares them.

Scopes: `user` settings come from the user's own TOML file and environment only. `vault` settings may also come from a vault's
`.khoj.toml`, which travels with the notes and is therefore not trusted with more. `session` settings may also be sent by the
editor and change live.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from khoj_ls.config.editor_settings import DiagnosticsSettings, HoverSettings, InlaySettings, LensSettings
from khoj_ls.config.setting import section, setting

_BACKENDS, _PRECISIONS = ("auto", "onnx", "openvino", "sentence-transformers"), ("auto", "full", "half", "int8")


@dataclass(frozen=True)
class IndexSettings:
    """What is read from a vault and how."""

    ignore: tuple[str, ...] = setting((), "vault", "Patterns, in .gitignore syntax, of files and folders to leave out.")
    private: tuple[str, ...] = setting(
        (),
        "vault",
        "Patterns, in .gitignore syntax, of notes and folders that never leave this machine. The lists of all places add up: a "
        "vault's file can add to yours and take nothing from it.",
    )
    gitignore: bool = setting(True, "vault", "Leave out what the vault's .gitignore files leave out.")
    hidden: bool = setting(False, "vault", "Index hidden files and folders (names that begin with a dot).")
    max_file_bytes: int = setting(10_000_000, "vault", "Files larger than this many bytes are not read.", least=1)
    max_files: int = setting(
        60_000,
        "user",
        "A folder with more files than this that carries no vault marker is refused until indexed with --yes.",
        least=1,
    )
    debounce_seconds: float = setting(
        0.05, "user", "How long a burst of changes to one file is collected before it is read.", least=0, most=60
    )
    buffer_rest_seconds: float = setting(
        1.5, "session", "How long an unsaved buffer must rest before it is embedded.", least=0, most=600
    )
    parser_workers: int = setting(2, "user", "Processes that parse files.", least=1, most=64)
    parser_timeout_seconds: float = setting(
        60.0, "user", "A file that takes longer to parse is given up and reported.", least=1
    )
    parser_memory_mb: int = setting(
        2048, "user", "A parser that takes more memory than this is ended and the file reported.", least=256
    )
    keep_vectors_days: float = setting(
        14.0, "user", "How long a vector that no note uses any more is kept for an undo.", least=0
    )


@dataclass(frozen=True)
class EmbeddingSettings:
    """The model that turns text into vectors."""

    model: str = setting(
        "fast",
        "vault",
        "A preset (fast, balanced, high_quality, multilingual, remote), a model's name, a folder with one, or a plugin's.",
    )
    device: str = setting("auto", "user", "Where the model runs.", choices=("auto", "cpu", "cuda", "mps"))
    backend: str = setting(
        "auto", "user", "What computes it; auto: what a test at the first start finds best.", choices=_BACKENDS
    )
    precision: str = setting(
        "auto", "user", "Numbers of 32 bits; auto: of 16, and of 8 for queries, where those find the same.", choices=_PRECISIONS
    )
    threads: int = setting(0, "user", "Threads of the encoder; 0 takes one per core, at most four.", least=0, most=256)
    batch_tokens: int = setting(4096, "user", "Most tokens that one batch holds, padding included.", least=128)
    idle_unload_seconds: float = setting(300.0, "user", "The encoder process ends after this long without work.", least=1)
    typing_pause_seconds: float = setting(
        0.5,
        "user",
        "After each change to an open buffer the backlog waits so long, five seconds in a row at most; 0: it does not.",
        least=0,
        most=5,
    )
    battery_percent: float = setting(
        20.0,
        "user",
        "On a battery below this the backlog waits for power; what you write is embedded, and all by khoj-ls index. 0: never.",
        least=0,
        most=100,
    )
    endpoint: str = setting("", "user", "Base URL of an OpenAI-compatible endpoint for the preset `remote`.")
    remote_model: str = setting("text-embedding-3-small", "user", "Model name sent to that endpoint.")
    remote_dimensions: int = setting(1536, "user", "Length of the vectors that endpoint returns.", least=1)
    remote_max_tokens: int = setting(8191, "user", "Longest input of that model, in tokens.", least=16)
    api_key_variable: str = setting("OPENAI_API_KEY", "user", "Environment variable that holds the endpoint's key.")
    allow_remote: bool = setting(
        False,
        "user",
        "Your yes to sending notes to the endpoint named above, or where a plugin's model does, when that is elsewhere.",
    )


_MAX_PER_FILE = 3
# Of the default model: made-up words come as near as .22 to .31 (median) to the nearest passage of a vault. Leaving out
# what is below .3 and holds no word of the query changes no nDCG@10 of benchmarks/quality.py, and recall@100 by .003.
_SCORE_THRESHOLD = 0.3


@dataclass(frozen=True)
class Tuning:
    """The numbers of one search profile: docs/tuning.md tells what each does to a ranking."""

    bi_encoder_top_k: int = setting(
        0,
        "session",
        "Candidates that each retriever brings: at least so many, and four for each result that is wanted; 0: at least 60.",
        least=0,
        most=5000,
    )
    cross_encoder_top_n: int = setting(
        0, "session", "How many results where the question does not say; 0: search.limit.", least=0, most=100
    )
    rerank: bool = setting(False, "session", "Read the best candidates again with the cross-encoder, where there is one.")
    score_threshold: float = setting(
        _SCORE_THRESHOLD,
        "session",
        "Results found only by meaning are left out when the cosine of their vector with the query's is lower; 0 keeps all.",
        least=0,
        most=1,
    )
    max_per_file: int = setting(
        _MAX_PER_FILE,
        "session",
        "Most results from one note, as long as other notes fill the limit; 0 lifts the cap.",
        least=0,
        most=100,
    )
    diversity_weight: float = setting(
        0.0, "session", "How much a result loses for saying what a better one says already (MMR); 0: nothing.", least=0, most=1
    )
    recency_bias: float = setting(
        0.0, "session", "The share of its score that a result loses as it grows old; 0: nothing.", least=0, most=1
    )
    recency_decay_days: float = setting(
        90.0, "session", "After so many days half of recency_bias is lost.", least=1, most=36_500
    )
    type_weights: Mapping[str, float] = setting(
        {}, "session", "What the score of a content type is multiplied with; types that are not named count 1.", least=0, most=1
    )
    lexical_share: float = setting(
        0.5, "session", "What words count beside meaning where both are asked: 1 is words alone.", least=0, most=1
    )
    names_weight: float = setting(
        0.3, "session", "What the words of a note's path and title count beside all it says.", least=0, most=1
    )
    note_share: float = setting(
        0.6, "session", "How far the score of a passage is drawn towards that of its whole note.", least=0, most=1
    )


@dataclass(frozen=True)
class SearchSettings:
    """How results are found and ordered."""

    limit: int = setting(10, "session", "How many results a search returns when it does not say, up to 100.", least=1, most=100)
    mode: str = setting("hybrid", "session", "Which retrievers run.", choices=("hybrid", "lexical", "dense"))
    max_per_file: int = setting(
        _MAX_PER_FILE, "session", "Most results from one note, as long as other notes fill the limit.", least=1
    )
    score_threshold: float = setting(
        _SCORE_THRESHOLD,
        "session",
        "Results found only by meaning are left out when the cosine of their vector with the query's is lower; 0 keeps all.",
        least=0,
        most=1,
    )
    profile: str = setting(
        "default", "session", "The search profile that holds where a question names none: `khoj-ls config profiles` lists them."
    )
    exact_vectors_below: int = setting(
        30_000,
        "user",
        "Below this many vectors the search is exact; above, HNSW answers as long as it finds what is near.",
        least=0,
    )
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """The user's own profiles by name, checked: what each sets, and its `base`. `config.profiles` makes a Tuning of one."""


@dataclass(frozen=True)
class RerankSettings:
    """The cross-encoder that reads the best results again, each together with the query, when a search asks for it."""

    model: str = setting(
        "fast",
        "user",
        "A preset (fast, balanced, high_quality, multilingual, remote), a model's name, the full path of a folder that holds "
        "one, package:NAME for an installed Python package that does, or off.",
    )
    candidates: int = setting(
        50, "session", "How many of the best results are read again; the others follow them.", least=50, most=1000
    )
    timeout_seconds: float = setting(
        20.0, "session", "A reranker that takes longer is not waited for: the search answers without it.", least=0.1, most=600
    )
    max_tokens: int = setting(
        512, "user", "Most tokens of query and passage together; a model that takes fewer gets fewer.", least=32, most=8192
    )
    int8: bool = setting(
        False,
        "user",
        "Compute with 8-bit weights: faster and smaller, less exact. `khoj-ls doctor` says by how much for your model.",
    )
    device: str = setting("auto", "user", "Where the model runs.", choices=("auto", "cpu", "cuda", "mps"))
    threads: int = setting(0, "user", "Threads of the reranker; 0 takes one per core, at most four.", least=0, most=256)
    idle_unload_seconds: float = setting(300.0, "user", "The reranker process ends after this long without work.", least=1)
    endpoint: str = setting("", "user", "Base URL of a Cohere- or Jina-style rerank service for the preset `remote`.")
    remote_model: str = setting("rerank-v3.5", "user", "Model name sent to that endpoint.")
    api_key_variable: str = setting("COHERE_API_KEY", "user", "Environment variable that holds the endpoint's key.")
    allow_remote: bool = setting(
        False, "user", "Your yes to sending passages of notes to the endpoint named above, when it is not on this machine."
    )


@dataclass(frozen=True)
class ChatSettings:
    """Answers from a chat model, grounded in the notes."""

    model: str = setting(
        "", "user", "The chat model: PROVIDER/NAME or a preset. Empty: answers are the passages themselves, no model is asked."
    )
    persona: str = setting("default", "session", "Who answers: `khoj-ls chat --personas` lists them.")
    profile: str = setting("", "session", "The search profile of chats; empty: that of search.")
    temperature: float = setting(0.7, "session", "How freely words are chosen; 0 is the most sober.", least=0, most=2)
    top_p: float = setting(0.9, "session", "The share of likely words that are chosen from.", least=0, most=1)
    max_answer_tokens: int = setting(2048, "session", "Longest answer, in tokens.", least=16, most=200_000)
    context_tokens: int = setting(
        6000,
        "session",
        "Most tokens of passages that a model is given with one question; its window may allow fewer.",
        least=200,
    )
    sources: int = setting(12, "session", "Most passages that a model is given with one question.", least=1, most=100)
    subqueries: bool = setting(
        True, "session", "Ask the model first what to search for, where a question leans on what was said before."
    )
    private_to_local: bool = setting(
        False, "user", "Your yes to giving private notes to a chat model that runs on this machine."
    )
    allowed_hosts: tuple[str, ...] = setting(
        (), "user", "Your yes, given once per service, to sending passages of notes to these hosts with a chat's questions."
    )
    timeout_seconds: float = setting(
        60.0,
        "user",
        "A chat model that says nothing for this long is given up; one on this machine and one that thinks first have ten "
        "times as long to begin.",
        least=1,
        most=3600,
    )
    tries: int = setting(4, "user", "How often a service is asked that is busy or not reached.", least=1, most=10)
    keep_alive: str = setting("5m", "user", "How long Ollama keeps a model in memory after an answer: 5m, 1h, 0, -1 for ever.")
    local_window: int = setting(
        8192,
        "user",
        "Most tokens of question and answer together for a model that Ollama or this program runs, where its preset says "
        "nothing else: a longer window takes more memory.",
        least=512,
    )
    local_threads: int = setting(
        0, "user", "Threads of a model that this program runs; 0 takes one per core, at most eight.", least=0, most=256
    )
    local_idle_seconds: float = setting(
        300.0, "user", "A model that this program runs is unloaded after this long without a question.", least=1
    )
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """The user's own services by name, checked: `config.chat_models` makes a Provider of each."""
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """The user's own presets by name, checked: `config.chat_models` makes a Preset of each."""


@dataclass(frozen=True)
class DaemonSettings:
    """The background process that all editors and shells share."""

    idle_exit_seconds: float = setting(
        1800.0, "user", "The daemon ends after this long without a session; 0 keeps it.", least=0
    )
    log_level: str = setting("info", "user", "What the log holds.", choices=("debug", "info", "warning", "error"))
    log_format: str = setting(
        "text", "user", "How a line of the log is written: for people, or as one JSON object.", choices=("text", "json")
    )
    nice: int = setting(
        10, "user", "Niceness of the encoder and the parsers, so that indexing never slows the editor.", least=0, most=19
    )


@dataclass(frozen=True)
class PluginSettings:
    """Code of others that the user has let in."""

    enabled: bool = setting(True, "user", "Whether plugins are loaded: those of installed packages and your own files.")
    disabled: tuple[str, ...] = setting((), "user", "Plugins that are left out, by name.")
    load_seconds: float = setting(
        10.0,
        "user",
        "A plugin that takes longer to be imported, or to say what it brings, is left out and named.",
        least=0.1,
        most=300,
    )
    search_hook_seconds: float = setting(
        0.5, "user", "How long the hooks of all plugins together may hold up a search.", least=0.01, most=60
    )
    hook_seconds: float = setting(
        5.0, "user", "How long they may hold up an answer of a chat, or the indexing of a file.", least=0.01, most=300
    )
    model_seconds: float = setting(
        60.0,
        "user",
        "A plugin's embedding model that takes longer to be made, or for a batch, is ended; the next text starts it anew.",
        least=0.1,
        most=100,
    )
    failures: int = setting(
        3, "user", "A hook that fails so often in a row is left out until the daemon starts anew.", least=1, most=1000
    )


@dataclass(frozen=True)
class Settings:
    """All settings."""

    vaults: tuple[str, ...] = setting((), "user", "Folders of notes to search when no file of a vault is open.")
    index: IndexSettings = section(IndexSettings, "What is read and how.")
    embedding: EmbeddingSettings = section(EmbeddingSettings, "The embedding model.")
    search: SearchSettings = section(SearchSettings, "How results are found.")
    rerank: RerankSettings = section(RerankSettings, "The reranker, for searches that ask for it.")
    chat: ChatSettings = section(ChatSettings, "Chat: answers from your notes.")
    hover: HoverSettings = section(HoverSettings, "What hovers show.")
    lens: LensSettings = section(LensSettings, "Code lenses: counts above titles and headings.")
    inlay: InlaySettings = section(InlaySettings, "Inlay hints: counts behind titles and headings.")
    diagnostics: DiagnosticsSettings = section(DiagnosticsSettings, "What is reported as wrong.")
    daemon: DaemonSettings = section(DaemonSettings, "The background process.")
    plugins: PluginSettings = section(PluginSettings, "Plugins: docs/plugins.md.")
    webhooks: tuple[Mapping[str, Any], ...] = field(default=())
    """The user's webhooks, checked: `config.webhooks` makes a Webhook of each."""
