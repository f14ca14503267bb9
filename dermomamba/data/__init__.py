"""Photographs, masks and data sets"""
from .._door import lazily

__getattr__, __dir__, __all__ = lazily(__name__, {
    'datasets': ['ISIC2018', 'PH2', 'FolderPairs', 'open_dataset'],
    'phantom': ['make_phantom', 'phantom_dls'],
})
