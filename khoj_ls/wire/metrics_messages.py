"""What a daemon has done and what it takes, on the wire."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestMetrics:
    """One kind of request (`search`, `chat`, ...), by any client."""

    count: int
    """How many were answered since the daemon was started."""
    failed: int
    """How many of them by an error, called off ones included."""
    running: int
    """How many are being answered now."""
    p50_ms: float
    """Half of the latest 512 took no longer, in milliseconds."""
    p95_ms: float
    """19 of 20 of them took no longer."""
    max_ms: float
    """The longest of them."""


@dataclass(frozen=True)
class Metrics:
    """What the daemon has done and what it takes, for monitoring; counts only grow while it runs."""

    cpu_seconds: float
    """Processor time of the daemon, without its workers."""
    threads: int
    """Its threads."""
    open_files: int
    """Its open files and sockets; 0 where the system does not tell."""
    workers: int
    """Processes that work for it: parsers, encoder, reranker."""
    workers_rss_bytes: int
    """Their resident memory."""
    log_bytes: int
    """What the log takes, with its older parts."""
    data_bytes: int
    """What the databases of all vaults that were ever indexed take."""
    requests: dict[str, RequestMetrics]
    """By the name of the request without `khoj/`."""
