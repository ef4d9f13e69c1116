"""A tiny cross-encoder made on the spot: real files of a sequence classifier, random weights, loaded in a moment."""

from __future__ import annotations

import string
from pathlib import Path

_LETTERS = [*string.ascii_lowercase, *string.digits, *string.punctuation]
_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *(f"##{one}" for one in _LETTERS)]


def make_small_cross_encoder(folder: Path, *, seed: int = 0, max_tokens: int = 64, labels: int = 1) -> Path:
    """Write a two-layer BERT that gives `labels` scores per pair into `folder`; return the folder, which is the model's
    name. A letter is a token. Weights depend on `seed` alone."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    vocabulary = {token: i for i, token in enumerate(_TOKENS)}
    tokenizer = BertTokenizerFast(vocab=vocabulary, do_lower_case=True, model_max_length=max_tokens)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=max_tokens,
        initializer_range=0.5,  # so that scores differ
        num_labels=labels,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertForSequenceClassification(config).save_pretrained(folder)
    return folder
