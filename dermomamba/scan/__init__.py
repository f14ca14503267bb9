"""One scan in one dimension, four in two, and the engines that compute them"""
from .._door import lazily

__getattr__, __dir__, __all__ = lazily(__name__, {
    'engines': ['selective_scan', 'register_engine', 'use_engine'],
    'mamba_block': ['MambaBlock'],
    'ss2d': ['SS2D', 'VSSBlock'],
})
