"""Skin lesion segmentation with 2-D state-space scans; a name is loaded when it is first used"""
import warnings

from ._door import lazily

__version__ = "0.1.0"

# fastai uses what the newest torch deprecates, and torch says so in two lines at every start
warnings.filterwarnings('ignore', message='`torch.jit.script` is deprecated')

__getattr__, __dir__, __all__ = lazily(__name__, {
    'network.dermomamba': ['DermoMamba', 'convert_original_state_dict', 'load_model', 'save_model'],
    'network.blocks': ['CrossScaleMambaBlock', 'CBAM', 'PCAM', 'SweepMamba'],
    'scan.ss2d': ['SS2D', 'VSSBlock'],
    'scan.engines': ['selective_scan', 'engines', 'register_engine', 'use_engine'],
    'data.datasets': ['ISIC2018', 'PH2', 'FolderPairs'],
    'data.phantom': ['make_phantom', 'phantom_dls'],
    'training.guide_fusion_loss': ['GuideFusionLoss'],
    'training.learner': ['dermo_learner'],
    'use.predict': ['segment'],
})
