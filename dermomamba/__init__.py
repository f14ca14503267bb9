"""Skin lesion segmentation with 2-D state-space scans; what is named here is loaded when it is first used"""
__version__ = "0.1.0"

_PLACES = dict(
    DermoMamba='network.dermomamba',
    convert_original_state_dict='network.dermomamba',
    load_model='network.dermomamba',
    save_model='network.dermomamba',
    CrossScaleMambaBlock='network.csmb',
    CBAM='network.cbam',
    PCAM='network.bottleneck',
    SweepMamba='network.bottleneck',
    SS2D='scan.ss2d',
    VSSBlock='scan.ss2d',
    selective_scan='scan.engines',
    engines='scan.engines',
    register_engine='scan.engines',
    use_engine='scan.engines',
    ISIC2018='data.datasets',
    PH2='data.datasets',
    FolderPairs='data.datasets',
    make_phantom='data.phantom',
    phantom_dls='data.phantom',
    GuideFusionLoss='training.guide_fusion_loss',
    dermo_learner='training.learner',
    segment='use.predict',
)
__all__ = [*_PLACES]


def __getattr__(name):
    if name not in _PLACES: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module
    return getattr(import_module(f'{__name__}.{_PLACES[name]}'), name)


def __dir__(): return sorted([*globals(), *_PLACES])
