"""Every check of the project, run by `make test` with the development environment's Python.

1. the package is what the notebooks export, 2. the notebooks are clean, 3. README.md is the index
notebook, 4. links lead somewhere, words are spelled and sources are in the bibliography, 5. no line
is longer than its page (ruff), 6. each notebook passes in a process of its own, 7. every line of
the GPU check runs in Triton's interpreter, the variants of the scans' trial are what they claim,
bad inputs and damaged files get an answer that helps, 8. explorers and app work in a browser,
where there is one, 9. the built wheel works in an environment of its own with the newest fastai and
fastcore. The site and its live pages have their checks in `make book`.

    checks.py                         all of it
    checks.py --write-readme          write README.md instead
    checks.py --only PATTERN          only the notebooks that fit PATTERN, and nothing else
    checks.py --order reverse         the notebooks in another order: given, reverse or shuffled
                                      (with --seed N)
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import notebooks

root = Path(__file__).resolve().parent.parent
tools = Path(sys.executable).parent
SMOKE = '''
import sys, time, importlib.metadata as md
import torch
start = time.time()
import dermomamba
took = time.time() - start
assert took < 1, f'import dermomamba took {took:.2f} s'
heavy = 'numba', 'fastai', 'albumentations', 'triton', 'mamba_ssm'
assert not [name for name in heavy if name in sys.modules]
versions = [f'{name} {md.version(name)}' for name in ('fastai', 'fastcore', 'torch')]
print(*versions, f'import dermomamba {1e3*took:.0f} ms')
'''
CHAIN = '''
import json, numpy as np, torch
from pathlib import Path
from fastai.vision.all import load_learner
from dermomamba.training.learner import dermo_learner
from dermomamba.data.phantom import make_phantom, phantom_dls
from dermomamba.use.predict import segment
run = json.loads(Path('run/run.json').read_text())
assert run['n_scored'] == 64 and 0 < run['scores']['dice'] <= 1, run
mask = segment(make_phantom(3, size=(80, 120))[0], model='run/model.safetensors')
assert mask.shape == (80, 120) and set(np.unique(mask)) <= {0, 1}
learn = dermo_learner(phantom_dls(n_train=8, n_valid=4, size=(32, 64), bs=4, device='cpu'))
learn.export('l.pkl')
assert load_learner('l.pkl').predict(1)[0].shape == (32, 64)
print('trained, segmented, exported and loaded with the newest libraries')
'''


def sh(*cmd, **kw):
    "Run a command and stop at its failure"
    words = [str(word) for word in cmd]
    code = subprocess.run(words, **kw).returncode
    if code:
        sys.exit(f'failed ({code}): {" ".join(words)[:200]}')


def unchanged(folder, pattern, cmd, message):
    "Run `cmd`; the files of `pattern` must be the same before and after"
    def read():
        return {p: p.read_bytes() for p in notebooks.find(folder, pattern)}
    before = read()
    sh(*cmd, cwd=root)
    after = read()
    other = [p for p in before.keys() | after.keys() if before.get(p) != after.get(p)]
    if other:
        names = ', '.join(sorted(str(p.relative_to(root)) for p in other))
        sys.exit(f'{message}: {names}\nThey are mended now; look at them and commit.')


def readme():
    "README.md as it follows from nbs/index.ipynb; links and pictures point into nbs/"
    import nbformat
    from nbconvert import MarkdownExporter
    nb = nbformat.read(root/'nbs'/'index.ipynb', 4)
    nb.cells = [c for c in nb.cells if not c.source.startswith('#| hide')]
    nb.metadata['language_info'] = {'name': 'python'}
    for c in nb.cells: # a training log is no README
        c.get('outputs', []).clear()
    text, _ = MarkdownExporter().from_notebook_node(nb)
    text = re.sub(r'\]\((?!https?://|#|\.\./)([^)]+)\)', r'](nbs/\1)', text)
    text = re.sub(r'\]\(\.\./', '](', text)
    return f'<!-- made from nbs/index.ipynb by `make export`; edit that -->\n{text.strip()}\n'


def smoke():
    "Install the wheel with the newest libraries and run it from another folder"
    others = shutil.ignore_patterns(
        '.git', '.venv*', 'runs', 'build', '_docs', '*.egg-info', '__pycache__')
    # on the path that the notebooks ran with, pip would find the package and install nothing
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    with tempfile.TemporaryDirectory() as d:
        shutil.copytree(root, f'{d}/src', ignore=others)
        sh(sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', d, f'{d}/src')
        venv.create(f'{d}/env', with_pip=True)
        bin = Path(d)/'env'/('Scripts' if os.name == 'nt' else 'bin')
        install = bin/'python', '-m', 'pip', 'install', '-q', '--no-compile', '--upgrade'
        sh(*install, *Path(d).glob('*.whl'), 'fastai', 'fastcore', env=env)
        sh(bin/'python', '-c', SMOKE, cwd=d, env=env)
        sh(bin/'dermomamba_train', '--data', 'phantom', '--size', '32', '64', '--epochs', '1',
           '--n-train', '16', '--device', 'cpu', '--out', 'run',
           cwd=d, env=env)
        sh(bin/'python', '-c', CHAIN, cwd=d, env=env)


def wide():
    "No line over 100 columns, one statement a line: notebooks, scripts, setup.py"
    sh(tools/'ruff', 'check', '-q', cwd=root)


def script(name, *options):
    "Run a script of this folder"
    sh(sys.executable, root/'.ci'/name, *options, cwd=root)


def package():
    "The package is what the notebooks export"
    fault = 'the package was not what the notebooks export'
    unchanged('dermomamba', '*.py', [tools/'nbdev_export'], fault)


def clean():
    "The notebooks are as nbdev_clean leaves them"
    unchanged('nbs', '*.ipynb', [tools/'nbdev_clean'], 'notebooks were not clean')


def readme_is_index():
    "README.md is the index notebook"
    if (root/'README.md').read_text(encoding='utf-8') != readme():
        sys.exit('README.md is not what nbs/index.ipynb gives: make export')


def passed(name, step):
    "Run a step, and say how long it took"
    t = time.time()
    print(f'== {name}', flush=True)
    step()
    print(f'== {name}: passed in {time.time() - t:.0f} s', flush=True)


def main():
    p = argparse.ArgumentParser(description='Every check of the project')
    p.add_argument('--write-readme', action='store_true', help='write README.md and stop')
    notebooks.add_options(p)
    args = p.parse_args()
    if args.write_readme:
        (root/'README.md').write_text(readme(), encoding='utf-8')
        return
    if args.only:
        notebooks.main(args)
        return
    steps = [
        ('package = notebooks', package),
        ('notebooks are clean', clean),
        ('README = index', readme_is_index),
        ('links and spelling', lambda: script('prose.py')),
        ('one bibliography', lambda: script('sources.py')),
        ('lines fit the page', wide),
        ('notebooks run', lambda: notebooks.main(args)),
    ]
    beside = [
        ('wheel with the newest libraries', smoke),
        ('explorers in a browser', lambda: script('browser.py')),
        ('app in a browser', lambda: script('browser_app.py')),
        ('GPU check, dry', lambda: script('gpu_check.py', '--dry')),
        ('trial of the scans', lambda: script('scan_trial.py', 'check')),
        ('weights for larger images', lambda: script('larger.py', 'check')),
        ('bad inputs', lambda: script('bad_inputs.py')),
        ('sound files', lambda: script('sound_files.py')),
        ('damaged files', lambda: script('damaged_files.py')),
    ]
    for name, step in steps:
        passed(name, step)
    with ThreadPoolExecutor(2) as pool: # one thread each; two cores are what we ask for
        jobs = [pool.submit(passed, name, step) for name, step in beside]
        for job in jobs:
            job.result()


if __name__ == '__main__':
    main()
