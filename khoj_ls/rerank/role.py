"""What messages call a cross-encoder and its process."""

from __future__ import annotations

from khoj_ls.models.role import Role

RERANKER = Role("reranker", "reranker", "reading", "khoj_ls.rerank.worker", "khoj_ls.rerank.prepare")
