"""Encoders of the default model in their real worker, and a tiny model made on the spot."""

from __future__ import annotations

import pytest
from waiting import wait_until

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.embed.service import EncoderService


@pytest.fixture
def until():
    """Wait until a condition holds."""
    return wait_until


@pytest.fixture(scope="session")
def encoder(prepared_models):
    """The default model, served by a worker that the tests which do it no harm share."""
    service = EncoderService(EmbeddingSettings(), prepared_models, nice=0)  # in a hurry
    yield service
    service.close()


@pytest.fixture
def make_encoder(prepared_models):
    """Make encoders with settings of one's own; they end with the test."""
    made = []

    def make(folder=prepared_models, environment=None, **settings):
        made.append(EncoderService(EmbeddingSettings(**settings), folder, nice=0, environment=environment))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Folder of a random BERT of one layer over a handful of words, as sentence-transformers saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *"abcdefghijklmnopqrstuvwxyz",
        *(f"##{c}" for c in "abcdefghijklmnop"),
    ]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(1)
    config = BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    BertModel(config).save_pretrained(folder / "bert")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    model = SentenceTransformer(str(folder / "bert"), device="cpu")  # adds mean pooling
    model.max_seq_length = 24
    model.save(str(folder / "model"))
    return folder / "model"
