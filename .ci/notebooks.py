"""Run notebooks as tests, each in a Python process of its own, two at a time.

No notebook can lean on what another one imported, patched or left in memory; `--order` proves it.
Each one's seconds are printed. The output of one that fails is shown, and the exit code is 1.

    python .ci/notebooks.py                              # all of them
    python .ci/notebooks.py --only 1_scan 6_use/5_*      # by name; a folder's name takes all in it
    python .ci/notebooks.py --order shuffled --seed 7
"""
import argparse, gc, json, multiprocessing, os, random, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor, as_completed
from configparser import ConfigParser
from fnmatch import fnmatch
from inspect import signature
from pathlib import Path

root = Path(__file__).resolve().parent.parent
# Libraries that nearly every notebook imports. Where the system can fork, one process has imported
# them (and nothing of ours); each notebook's process is a fork of it: six seconds saved in each.
LIBRARIES = [
    'torch', 'fastai.vision.all', 'numba', 'pandas', 'scipy.stats', 'matplotlib.pyplot',
    'albumentations', 'sklearn.metrics', 'nbdev.test', 'nbdev.showdoc']
# The longest start first, so that none runs alone at the end. (Beside the first of them is one that
# compiles no numba: what the first one compiles, the others find.)
LONG = [
    '6_use/5_onnx', '1_scan/more/ss2d_gpu', '4_training/3_learner', '4_training/4_recipe',
    '4_training/more/long_runs', '5_evidence/more/cost', 'tour', '5_evidence/1_inference',
    '1_scan/4_mamba_block', '5_evidence/more/speed', '2_network/2_dermomamba',
    '1_scan/3_selection']
KERNELS = 'gpu', 'ss2d_gpu', 'engines'              # notebooks that interpret kernels of Triton
CAN_FORK = 'forkserver' in multiprocessing.get_all_start_methods()
context = multiprocessing.get_context('forkserver' if CAN_FORK else 'spawn')
running, lock = set(), threading.Lock()


def find(folder, pattern):
    "Files below a folder, sorted, without those of editors and caches. No file at all is a fault"
    found = sorted(
        p for p in (root/folder).rglob(pattern)
        if not {'.ipynb_checkpoints', '__pycache__'} & set(p.parts) and p.is_file())
    if not found:
        sys.exit(f'{folder}/: holds no {pattern}; a check of nothing proves nothing')
    return found


def notebooks(only=()):
    "The notebooks, or those whose name, path or folder fits one of the patterns"
    def fits(path, pattern):
        inner = path.relative_to(root/'nbs')
        names = path.name, path.stem, inner.as_posix(), *(p.as_posix() for p in inner.parents)
        return any(fnmatch(name, pattern) for name in names)
    every = find('nbs', '*.ipynb')
    for pattern in only:
        if not any(fits(p, pattern) for p in every):
            sys.exit(f'--only {pattern}: no notebook is called so')
    return [p for p in every if not only or any(fits(p, pattern) for pattern in only)]


def in_order(paths, order, seed):
    "The same notebooks as given (sorted, but the long ones first), in reverse, or shuffled"
    if order == 'reverse':
        return paths[::-1]
    if order == 'shuffled':
        return random.Random(seed).sample(paths, len(paths))
    long = [root/f'nbs/{name}.ipynb' for name in LONG]
    missing = [str(path) for path in long if not path.is_file()]
    if missing:
        sys.exit(f'notebooks.py: LONG names {missing[0]}, which is not there')
    return [p for p in long if p in paths] + [p for p in paths if p not in long]


def skip_flags():
    "Directives of cells that are no tests here, from settings.ini"
    config = ConfigParser(delimiters=['='])
    config.read(root/'settings.ini', encoding='utf-8')
    return config['DEFAULT']['tst_flags']


def prepare():
    "No GPU, no network question at import, one thread each, and this folder's package"
    path = os.pathsep.join(filter(None, [str(root), os.environ.get('PYTHONPATH')]))
    os.environ.update(
        PYTHONPATH=path, PYTHONIOENCODING='utf-8', NO_ALBUMENTATIONS_UPDATE='1',
        OMP_NUM_THREADS='1', MPLBACKEND='agg', TRITON_INTERPRET='1')
    if CAN_FORK:
        context.set_forkserver_preload(LIBRARIES)


def stop(process):
    "End a process and all that it started"
    import psutil
    try:
        first = psutil.Process(process.pid)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            pass


def look_once():
    """Let Triton's interpreter look through its language once a launch, not at each inner call.

    Where a kernel calls a function of its own, the interpreter puts its own operations in the place
    of Triton's again, though they are there already: more than a quarter of the kernels' tests.
    """
    from triton.runtime import interpreter
    if not all(hasattr(interpreter, name) for name in ('_patch_lang', 'GridExecutor')):
        return                                     # another Triton: slower, and as right
    replace, launch, done = interpreter._patch_lang, interpreter.GridExecutor.__call__, set()
    def once(fn):
        if id(fn.__globals__) in done:
            return None
        done.add(id(fn.__globals__))
        return replace(fn)
    def afresh(self, *args, **kwargs):
        done.clear()                               # the end of a launch takes them out
        return launch(self, *args, **kwargs)
    interpreter._patch_lang, interpreter.GridExecutor.__call__ = once, afresh


def rest_collector():
    "Look for garbage seldom: a sixth of the time of interpreted kernels goes into looking"
    gc.freeze()                                # what the libraries made stays: nobody need look
    gc.set_threshold(50_000, 20, 20)


def test_one(path, flags, out):
    "Run a notebook's cells in this process; exit code 0 if all pass. What it writes goes to `out`"
    with open(out, 'wb') as f, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(f.fileno(), 1)
        os.dup2(f.fileno(), 2)
    sys.path[0] = str(root)
    multiprocessing.set_start_method(None, force=True) # what a notebook starts, it starts as usual
    os.chdir(path.parent)
    rest_collector()
    if path.stem in KERNELS:
        look_once()
    from nbdev.test import test_nb
    # nbdev 3 would look for this in a pyproject.toml; 2 has no such parameter
    plain = dict(profile=False) if 'profile' in signature(test_nb).parameters else {}
    passed, _ = test_nb(path, skip_flags=flags.split(), basepath=root, **plain)
    sys.exit(not passed)


def run(path, timeout):
    "Test one notebook in a new process; its seconds, whether it passed, and what it wrote"
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)/'out.txt'
        process = context.Process(target=test_one, args=(path, skip_flags(), out))
        process.start()
        with lock:
            running.add(process)
        late = ''
        try:
            process.join(timeout)
            if process.is_alive():
                late = f'\nstopped: it ran longer than {timeout:.0f} seconds\n'
                stop(process)
                process.join()
        finally:
            with lock:
                running.discard(process)
        text = out.read_text(encoding='utf-8', errors='replace') if out.exists() else ''
    return time.perf_counter() - start, process.exitcode == 0 and not late, text + late


def run_all(paths, *, workers=2, timeout=600):
    "Test notebooks; name -> (seconds, passed). Failures are shown when they happen"
    results = {}
    with ThreadPoolExecutor(workers) as pool:
        jobs = {pool.submit(run, path, timeout): path for path in paths}
        try:
            for job in as_completed(jobs):
                name = jobs[job].relative_to(root/'nbs').as_posix()
                seconds, passed, text = job.result()
                results[name] = round(seconds, 1), passed
                print(f'{seconds:6.1f} s  {"      " if passed else "FAILED"}  {name}', flush=True)
                if not passed:
                    print(text, flush=True)
        except BaseException: # Ctrl-C too: what waits is forgotten, what runs is ended
            pool.shutdown(wait=False, cancel_futures=True)
            with lock:
                for process in running:
                    stop(process)
            raise
    return results


def add_options(parser):
    "The options that `checks.py` has too"
    add = parser.add_argument
    add('--only', nargs='+', default=[], metavar='PATTERN', help='notebooks by name or folder')
    add('--order', choices=['given', 'reverse', 'shuffled'], default='given')
    add('--seed', type=int, default=0, help='of --order shuffled (default %(default)s)')
    add('--timeout', type=float, default=600, help='seconds a notebook may take (default 600)')
    add('--workers', type=int, default=min(2, os.cpu_count() or 1), help='notebooks at a time')
    add('--times', type=Path, help='write seconds and result of each notebook to this JSON file')


def main(args):
    paths = in_order(notebooks(args.only), args.order, args.seed)
    said = f'shuffled by seed {args.seed}' if args.order == 'shuffled' else args.order
    print(f'{len(paths)} notebooks, order: {said}, {args.workers} at a time', flush=True)
    prepare()
    start = time.perf_counter()
    results = run_all(paths, workers=args.workers, timeout=args.timeout)
    took = time.perf_counter() - start
    if args.times:
        record = {name: dict(seconds=s, passed=p) for name, (s, p) in sorted(results.items())}
        args.times.write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')
    failed = sorted(name for name, (_, passed) in results.items() if not passed)
    print(f'{len(results) - len(failed)} of {len(results)} passed in {took:.0f} s', flush=True)
    if failed:
        sys.exit('failed: ' + ', '.join(failed))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Test notebooks, a process each.')
    add_options(parser)
    main(parser.parse_args())
