"""The front doors of the package and its sub-packages: a name is loaded when it is first used"""
import sys
from importlib import import_module


def lazily(
    package:str, # `__name__` of the package
    places:dict, # module below it -> names that it offers
) -> tuple:      # `__getattr__`, `__dir__` and `__all__` of the package
    "Offer names without importing their modules"
    where = {name: module for module, names in places.items() for name in names}
    def load(name):
        if name not in where:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        return getattr(import_module(f'{package}.{where[name]}'), name)
    def listed(): return sorted({*vars(sys.modules[package]), *where})
    return load, listed, [*where]
