"""What khoj/completeQuery answers: how a query goes on in one vault or in several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

from khoj_ls.query.complete import MOST_OFFERED, FilterCompletion, ValueKind, complete_filters
from khoj_ls.store.facets import values_in_use
from khoj_ls.vault import Vault
from khoj_ls.wire.query_messages import CompleteQueryParams, CompleteQueryResult, QueryCompletion


def completions(vaults: Sequence[Vault], params: CompleteQueryParams) -> CompleteQueryResult:
    """How a query goes on, by what the notes of `vaults` have to filter by; of several vaults in turns, each value once."""
    offset = len(params.query) if params.offset is None else params.offset
    each = [_in_vault(vault, params.query, offset) for vault in vaults]
    found = dict.fromkeys(one for one in chain.from_iterable(zip_longest(*each)) if one is not None)
    return CompleteQueryResult(
        [QueryCompletion(one.start, one.end, one.text, one.kind, one.detail) for one in list(found)[:MOST_OFFERED]]
    )


def _in_vault(vault: Vault, query: str, offset: int) -> list[FilterCompletion]:
    def values(kind: ValueKind) -> list[str]:
        return vault.links(lambda network: values_in_use(network.connection, kind))

    own = {name: each.about for name, each in vault.query_filters.items()}
    return complete_filters(query, offset, values, own=own)
