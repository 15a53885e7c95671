"""What embedding costs where a vendor has published it, for the question whether notes may be sent there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.models.endpoint import host_of

PRICES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "https://api.openai.com": MappingProxyType(
            {"text-embedding-3-small": 0.02, "text-embedding-3-large": 0.13, "text-embedding-ada-002": 0.1}
        )
    }
)
"""US dollars per million tokens, by host and model (https://developers.openai.com/api/docs/models, as of November 2026)."""


def cost_of(settings: EmbeddingSettings, tokens: int) -> float | None:
    """US dollars that so many tokens cost at the endpoint of the settings; None where that is not known, or not used."""
    if settings.model != "remote":
        return None
    price = PRICES.get(host_of(settings.endpoint), {}).get(settings.remote_model)
    return None if price is None else price * tokens / 1e6
