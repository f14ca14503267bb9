"""Photographs, masks and data sets; what is named here is loaded when it is first used"""
_PLACES = dict(
    ISIC2018='datasets',
    PH2='datasets',
    FolderPairs='datasets',
    open_dataset='datasets',
    make_phantom='phantom',
    phantom_dls='phantom',
)
__all__ = [*_PLACES]


def __getattr__(name):
    if name not in _PLACES: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module
    return getattr(import_module(f'{__name__}.{_PLACES[name]}'), name)
