"""A tiny sentence encoder made on the spot: real sentence-transformers files, random weights, loaded in a moment."""

from __future__ import annotations

import string
from pathlib import Path

_LETTERS = [*string.ascii_lowercase, *string.digits, *string.punctuation]
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_small_encoder(folder: Path, dimension: int = 64, seed: int = 0, *, max_tokens: int = 128) -> Path:
    """Write a two-layer BERT with mean pooling into `folder` and return the folder, which is the model's name.

    A letter is a token. Weights depend on `seed` alone, so the same call makes the same vectors. `dimension` is a
    multiple of 4.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    bert = folder / "bert"
    vocabulary = {token: i for i, token in enumerate([*_SPECIAL, *_LETTERS, *(f"##{one}" for one in _LETTERS)])}
    tokenizer = BertTokenizerFast(vocab=vocabulary, do_lower_case=True, model_max_length=max_tokens)
    tokenizer.save_pretrained(bert)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=dimension,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * dimension,
        max_position_embeddings=max_tokens,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(bert)
    encoder = Transformer(str(bert), max_seq_length=max_tokens)
    SentenceTransformer(modules=[encoder, Pooling(dimension), Normalize()], device="cpu").save(
        str(folder), create_model_card=False
    )
    return folder
