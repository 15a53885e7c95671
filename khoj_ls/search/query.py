"""The query language under its old name; see `khoj_ls.query`."""

from __future__ import annotations

from khoj_ls.query.parse import MAX_QUERY_CHARS, parse
from khoj_ls.query.phrases import occurs
from khoj_ls.query.types import Query

__all__ = ["MAX_QUERY_CHARS", "Query", "occurs", "parse"]
