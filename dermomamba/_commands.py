"""What the shell calls: a command's module is loaded here, so that Ctrl-C meanwhile is no traceback"""
import sys
from importlib import import_module

HOMES = {
    'dermomamba_train': 'training.recipe',
    'dermomamba_evaluate': 'evidence.evaluate',
    'dermomamba_predict': 'use.folders',
    'dermomamba_benchmark': 'evidence.speed',
    'dermomamba_doctor': 'use.doctor',
    'dermomamba_app': 'use.app',
}


def __getattr__(name):
    "The command of that name, which loads its module when it is called"
    if name not in HOMES: raise AttributeError(f'no command {name!r}')
    def command(argv=None):
        try: return import_module(f'dermomamba.{HOMES[name]}').main(argv)
        except KeyboardInterrupt:
            print(f'{name}: stopped.', file=sys.stderr)
            return 130
    return command
