"""One scan in one dimension, four in two, and the engines that compute them; what is named here is loaded when it is first used"""
_PLACES = dict(
    selective_scan='engines',
    register_engine='engines',
    use_engine='engines',
    SS2D='ss2d',
    VSSBlock='ss2d',
)
__all__ = [*_PLACES]


def __getattr__(name):
    if name not in _PLACES: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module
    return getattr(import_module(f'{__name__}.{_PLACES[name]}'), name)
