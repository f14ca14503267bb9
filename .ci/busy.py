"""A training step alone and beside another program, by how torch's threads wait.

    busy.py [FILE]          all of it, eight minutes on two cores with nothing else running; FILE
                            keeps the figures as JSON (`data/results/busy_cpu.json` is one)
    busy.py step PRESET     steps of four images in this process: seconds of each, as JSON

The other program keeps one core busy, in a session of its own, as if from another window: Linux
divides its time among sessions first, and then among a session's threads. Each row is a process of
its own, too, since the OpenMP library reads its settings when it is loaded.
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))

import torch

from dermomamba.core import write_record
from dermomamba.evidence.cost import make_job
from dermomamba.network.dermomamba import PRESETS, DermoMamba

CORES = os.cpu_count()
WAYS = {
    'as it is': {}, 'OMP_WAIT_POLICY=PASSIVE': dict(OMP_WAIT_POLICY='PASSIVE'),
    f'OMP_NUM_THREADS={CORES - 1}': dict(OMP_NUM_THREADS=str(CORES - 1))}
PROTOCOL = (
    'forward, loss, backward and AdamW of 4 random images, float32, at the size of the preset; '
    'one step first, then as many as begin within 30 s, at least 3 and at most 9: median and '
    'quartiles of the wall clock. Beside: a process that keeps one core busy, in a session of its '
    'own. slower: median over the one of the same preset alone and as it is')


def step(preset):
    "Seconds of each training step"
    torch.manual_seed(0)
    model = DermoMamba.preset(preset)
    job = make_job(model, model.img_size, batch=4, step=True)
    job()
    seconds, end = [], time.perf_counter() + 30
    while len(seconds) < 3 or time.perf_counter() < end and len(seconds) < 9:
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return seconds


def measured(preset, way):
    "The same in a process of its own"
    env = {k: v for k, v in os.environ.items() if not k.startswith(('OMP_', 'GOMP_'))}
    command = [sys.executable, __file__, 'step', preset]
    done = subprocess.run(command, env=env | WAYS[way], stdout=subprocess.PIPE, check=True)
    return sorted(json.loads(done.stdout))


def rows():
    found, alone = [], {}
    for beside in (False, True):
        other = None
        if beside:
            count = [sys.executable, '-c', 'while True: pass']
            other = subprocess.Popen(count, start_new_session=True)
        try:
            for preset in PRESETS:
                for way in WAYS:
                    s = measured(preset, way)
                    median, n = s[len(s)//2], len(s)
                    first = alone.setdefault(preset, median)
                    found.append(dict(
                        preset=preset, beside=beside, threads=way, steps=n,
                        q1=round(s[n//4], 3), median=round(median, 3), q3=round(s[3*n//4], 3),
                        slower=round(median/first, 2)))
                    print(found[-1], flush=True)
        finally:
            if other: other.kill()
    return found


def main(argv):
    if argv[:1] == ['step']: print(json.dumps(step(argv[1])))
    elif len(argv) < 2:
        found = rows()
        if argv: write_record(argv[0], protocol=PROTOCOL, rows=found)
    else: sys.exit(__doc__)


if __name__ == '__main__':
    main(sys.argv[1:])
