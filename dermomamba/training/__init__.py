"""Loss, metrics, the learner and its recipe"""
from .._door import lazily

__getattr__, __dir__, __all__ = lazily(__name__, {
    'guide_fusion_loss': ['GuideFusionLoss'],
    'learner': ['dermo_learner'],
})
