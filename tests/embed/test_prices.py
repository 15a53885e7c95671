"""What embedding costs, where that is known."""

from __future__ import annotations

import pytest

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.embed.prices import cost_of


@pytest.mark.parametrize(
    ("endpoint", "model", "cost"),
    [
        ("https://api.openai.com/v1", "text-embedding-3-small", 0.04),
        ("https://api.openai.com", "text-embedding-3-large", 0.26),
        ("https://api.openai.com/v1", "another", None),
        ("https://gateway.example.org/v1", "text-embedding-3-small", None),
        ("", "text-embedding-3-small", None),
    ],
)
def test_two_million_tokens(endpoint, model, cost):
    assert cost_of(EmbeddingSettings("remote", endpoint=endpoint, remote_model=model), 2_000_000) == cost
