"""What messages call a bi-encoder and its process."""

from __future__ import annotations

from khoj_ls.models.role import Role

QUERY, DOCUMENT = "query", "document"
"""What comes before a text for a model of a plugin, which adds prefixes itself."""

ENCODER = Role("encoder", "embedding model", "embedding", "khoj_ls.embed.worker", "khoj_ls.embed.prepare")
