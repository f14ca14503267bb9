"""Photographs in, masks out"""
from .._door import lazily

__getattr__, __dir__, __all__ = lazily(__name__, {
    'predict': ['segment'],
})
