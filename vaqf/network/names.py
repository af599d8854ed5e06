"""timm's name of a parameter that another library named.

A file may use the names of timm, of DeiT's own training ({"model": ...}) or of Hugging Face's
transformers, before and since its version 5.
"""

import re

# Hugging Face's names -> timm's; the first pattern that matches the rest of a block's name wins
HF_PREFIX = re.compile(r"^(?:vit|deit)\.")
_HF_BLOCK = re.compile(r"^(?:encoder\.)?layers?\.(\d+)\.")
_HF_TOP = {
    "embeddings.cls_token": "cls_token",
    "embeddings.distillation_token": "dist_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "layernorm": "norm",
    "classifier": "head",
    "cls_classifier": "head",
    "distillation_classifier": "head_dist",
}
_HF_IN_BLOCK = {
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "attention.attention.query": "attn.q",
    "attention.attention.key": "attn.k",
    "attention.attention.value": "attn.v",
    "attention.output.dense": "attn.proj",
    "attention.q_proj": "attn.q",
    "attention.k_proj": "attn.k",
    "attention.v_proj": "attn.v",
    "attention.o_proj": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
HF_UNUSED = ("pooler.",)  # of ViTModel; a classifier reads the class token itself
# of DistributedDataParallel, torch.compile, and a Lightning module that holds the model
_WRAPPERS = re.compile(r"^(?:(?:module|_orig_mod|model)\.)+")


def timm_name(name: str) -> str:
    """The name that timm gives to a parameter; its own names come back unchanged.

    Hugging Face's separate query, key and value become `attn.q`, `attn.k` and `attn.v`.
    """
    name = _WRAPPERS.sub("", name)
    rest = HF_PREFIX.sub("", name)
    block = _HF_BLOCK.match(rest)
    table, prefix = _HF_TOP, ""
    if block:
        table, prefix, rest = _HF_IN_BLOCK, f"blocks.{block[1]}.", rest[block.end() :]
    stem, _, leaf = rest.rpartition(".")
    if rest in table:
        return prefix + table[rest]
    if stem in table and leaf in ("weight", "bias"):
        return f"{prefix}{table[stem]}.{leaf}"
    return name
