"""timm's name of a parameter that another library named.

A file may use the names of timm, of DeiT's and DINOv2's own training, of Hugging Face's
transformers, before and since its version 5, or of torchvision.
"""

import re

# of DistributedDataParallel and torch's averaged models, torch.compile, FSDP, activation
# checkpoints, DeepSpeed and Lightning: in front of a name or of any part of it
_WRAPPERS = re.compile(
    r"(?:^|(?<=\.))(?:module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module"
    r"|_forward_module)\."
)
_MODEL = re.compile(r"^(?:model\.)+")  # of a Lightning module that holds one
_HF_PREFIX = re.compile(r"^(?:vit|deit|dinov2|dinov2_with_registers)\.")
# what no classifier reads: of ViTModel, of masked training, of torch's averaged models
UNUSED = re.compile(r"^(?:pooler\.|(?:embeddings\.)?mask_token$|n_averaged$)")

_TOP = {
    # transformers
    "embeddings.cls_token": "cls_token",
    "embeddings.distillation_token": "dist_token",
    "embeddings.register_tokens": "reg_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "layernorm": "norm",
    "classifier": "head",
    "cls_classifier": "head",
    "distillation_classifier": "head_dist",
    # DINOv2's own
    "register_tokens": "reg_token",
    # torchvision
    "class_token": "cls_token",
    "encoder.pos_embedding": "pos_embed",
    "conv_proj": "patch_embed.proj",
    "encoder.ln": "norm",
    "heads.head": "head",
}
_BLOCK = re.compile(  # DINOv2's own training has blocks in chunks: blocks.1.7 is block 7
    r"^(?:(?:encoder\.)?layers?\.|encoder\.layers\.encoder_layer_|blocks\.(?:\d+\.)?)(\d+)\.(\D.*)$"
)
CLASS_TOKENS = ("cls_token", "class_token")  # how every model's first parameter ends
_IN_BLOCK = {
    # transformers
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
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
    # DeiT's own
    "gamma_1": "ls1.gamma",
    "gamma_2": "ls2.gamma",
    # torchvision, of today and before 0.14
    "ln_1": "norm1",
    "ln_2": "norm2",
    "self_attention.in_proj_weight": "attn.qkv.weight",
    "self_attention.in_proj_bias": "attn.qkv.bias",
    "self_attention.out_proj": "attn.proj",
    "mlp.0": "mlp.fc1",
    "mlp.3": "mlp.fc2",
    "mlp.linear_1": "mlp.fc1",
    "mlp.linear_2": "mlp.fc2",
}


def timm_name(name: str) -> str | None:
    """The name that timm gives to a parameter, None for one that no classifier reads; timm's own
    names, and what is not known, come back unchanged.

    Hugging Face's separate query, key and value become `attn.q`, `attn.k` and `attn.v`.
    """
    name = unwrapped(name)
    rest = _HF_PREFIX.sub("", name)
    if UNUSED.match(rest):
        return None
    block = _BLOCK.match(rest)
    if block is None:
        return _known(rest, _TOP) or name
    return f"blocks.{block[1]}.{_known(block[2], _IN_BLOCK) or block[2]}"


def unwrapped(name: str) -> str:
    """A name without what wraps the model that it is a parameter of."""
    return _MODEL.sub("", _WRAPPERS.sub("", name))


def _known(name: str, table: dict[str, str]) -> str | None:
    """A parameter's or its layer's name, replaced; None where the table has neither."""
    if name in table:
        return table[name]
    stem, _, leaf = name.rpartition(".")
    return f"{table[stem]}.{leaf}" if stem in table and leaf in ("weight", "bias") else None
