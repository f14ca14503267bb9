"""The blocks of DermoMamba and the whole network"""
from .._door import lazily

__getattr__, __dir__, __all__ = lazily(__name__, {
    'dermomamba': ['DermoMamba', 'load_model', 'save_model'],
    'blocks': ['CrossScaleMambaBlock', 'CBAM', 'PCAM', 'SweepMamba'],
})
