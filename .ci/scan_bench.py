"""Time and memory of the scan on this machine, beside mambapy's and in one pass or composed.

    scan_bench.py scan [FILE]            engines and mambapy's scan, at the size of the first stage
    scan_bench.py ss2d [FILE]            the core of SS2D in one pass and composed, at that size
    scan_bench.py one ENGINE [L [N]]     a scan of L steps in this process: seconds forward, seconds
                                         forward and backward, best of N, and MB over the arguments

FILE keeps the figures as JSON; `data/results/scan_cpu.json` and `ss2d_cpu.json` are two of them.
"""
import json
import platform
import sys
import timeit
from functools import partial
from pathlib import Path
from statistics import median

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))

import torch

from dermomamba.core import in_own_process, one_line, peak_rss, write_record
from dermomamba.evidence.speed import interleave
from dermomamba.scan.engines import selective_scan
from dermomamba.scan.ss2d import SS2D, composed_scan, cross_selective_scan

STAGE_1 = 49152


def mambapy(u, delta, A, B, C):
    "mambapy's scan; it takes the expanded decays and inputs, (B, L, D, N)"
    from mambapy.pscan import pscan
    per_group = u.shape[1]//B.shape[1]
    B, C = (x.repeat_interleave(per_group, 1).permute(0, 3, 1, 2) for x in (B, C))
    u, delta = u.transpose(1, 2), delta.transpose(1, 2)
    h = pscan(torch.exp(delta[..., None]*A), (delta*u)[..., None]*B)
    return (h*C).sum(-1).transpose(1, 2)


def arguments(D, G, N, L):
    r = torch.randn
    u, delta, A = r(1, D, L), torch.rand(1, D, L)*.1, -torch.rand(D, N)*N
    return [x.requires_grad_() for x in (u, delta, A, r(1, G, N, L), r(1, G, N, L))]


def one(which, L=STAGE_1, n=5):
    "Seconds forward, forward + backward and peak MB of one implementation, in this process"
    torch.manual_seed(0)
    args, small = arguments(32, 4, 16, L), arguments(4, 2, 3, 70)
    def ours(*args):
        return selective_scan(*args, engine=which, check_finite=False)
    run = mambapy if which == 'mambapy' else ours
    torch.autograd.grad(run(*small).sum(), small)   # load and compile before memory is read
    def best(f):
        f()
        return min(timeit.repeat(f, number=1, repeat=n))
    start = peak_rss(reset=True)
    with torch.no_grad():
        forward = best(lambda: run(*args))
    both = best(lambda: torch.autograd.grad(run(*args).sum(), args))
    return forward, both, (peak_rss() - start)/2**20


def scan():
    size = f'(B 1, D 32, groups 4, L {STAGE_1}, N 16), float32'
    print(f'scan of {size}, {torch.get_num_threads()} threads, torch {torch.__version__}, '
          f'{platform.machine()}; best of 5')
    rows = {}
    for which in ('numba', 'chunked', 'mambapy'):
        try:
            rows[which] = in_own_process('scan_bench:one', which=which)
        except Exception as e:
            print(f'{which:8} did not run: {one_line(e)}')
    for which, (f, b, m) in rows.items():
        print(f'{which:8} forward {1e3*f:7.1f} ms   forward + backward {1e3*b:7.1f} ms   '
              f'memory over start {m:6.0f} MB')
    if 'mambapy' in rows and 'numba' in rows:
        f, b, m = (x/y for x, y in zip(rows['mambapy'], rows['numba']))
        print(f'mambapy / numba: forward {f:.1f}, forward + backward {b:.1f}, memory {m:.1f}')
    protocol = (f'{size}; best of 5 after a warm-up, each implementation in a process of its '
                'own, one after the other; peak memory over that before the first run')
    keys = 'seconds_forward', 'seconds_forward_backward', 'memory_mb'
    return dict(protocol=protocol) | {
        key: {k: row[i] for k, row in rows.items()} for i, key in enumerate(keys)}


def stage(batch, size=(192, 256), dim=8):
    "Arguments of the core, the map as the convolution before it leaves it"
    block, x = SS2D(dim//2), torch.randn(batch, dim, *size)
    x = x.contiguous(memory_format=torch.channels_last)
    return [a.detach().requires_grad_() for a in (x, *block.scan_weights())]


def in_turn(batch, n=9):
    "Milliseconds of the core in one pass and composed, medians of `n`; and their ratios"
    torch.manual_seed(0)
    args = stage(batch)
    dy, ms = torch.randn_like(args[0]), {}
    forms = dict(composed=composed_scan, one_pass=cross_selective_scan)
    def forward(f):
        with torch.no_grad():
            f(*args, engine='numba')
    def forward_backward(f):
        f(*args, engine='numba').backward(dy)
    for run in (forward, forward_backward):
        seconds = interleave({name: partial(run, f) for name, f in forms.items()}, n)
        result = {name: round(1e3*median(t), 1) for name, t in seconds.items()}
        result['ratio'] = round(result['composed']/result['one_pass'], 2)
        ms[run.__name__] = result
    return ms


def ss2d():
    protocol = (
        'core of SS2D at stage 1: d_inner 8, N 16, rank 1, 192x256, float32, channels last; '
        "engine numba in one pass and composed (cross_scan, projections, the engine's scan, "
        'cross_merge), in turn in one process; milliseconds, median of 9 after 2 warm-ups')
    result = {f'batch_{b}': in_turn(b) for b in (1, 4)}
    for name, times in result.items():
        print(f'{name}:', times)
    return dict(protocol=protocol, **result)


if __name__ == '__main__':
    if sys.argv[1:2] == ['one']:
        which, *numbers = sys.argv[2:]
        print(json.dumps(one(which, *map(int, numbers))))
    elif sys.argv[1:2] in (['scan'], ['ss2d']):
        facts = dict(scan=scan, ss2d=ss2d)[sys.argv[1]]()
        if len(sys.argv) > 2:
            write_record(sys.argv[2], **facts)
    else:
        raise SystemExit(__doc__)
