"""Are the Triton engines right on this GPU, how fast beside mamba_ssm, how far from its limits?

    gpu_check.py --out gpu.json
    gpu_check.py --out gpu.json --mamba build --mamba-source mamba_ssm-2.3.0.tar.gz
    gpu_check.py --pack gpu_day.tar.gz --wheels FOLDER --mamba-source mamba_ssm-2.3.0.tar.gz
    gpu_check.py --dry

The second form is for a machine without network: the first writes one archive, under 64 MiB, with
all that the check needs. There, in the unpacked folder,

    pip install --no-index --no-deps wheels/*.whl
    python .ci/gpu_check.py --out gpu.json --mamba build --mamba-source mamba_ssm-2.3.0.tar.gz

Each part is a process of its own, and each row is written at once, to gpu.json.rows: what ends one
part, or all, costs only what had not been measured yet. First all kernels are compiled, side by
side. Events time the work, functions take turns, a cache is flushed before each, medians and
quartiles are kept. `--dry` runs every line on the CPU in Triton's interpreter, with tiny shapes and
a stand-in for mamba_ssm; it measures nothing. The floor of a scan is the larger of two times: that
of the bytes which it must move, and that of the exponentials which it must compute.
No result of it is in the book yet: it was written without a GPU.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import types
from pathlib import Path

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))

import torch
import torch.nn as nn
import torch.nn.functional as F


class Rows(list):
    "A list whose rows are also written to a file, each at once"

    file = None

    def append(self, row):
        super().append(row)
        if Rows.file:
            print(json.dumps(row), file=Rows.file, flush=True)


class Clock:
    "Times functions on one device, in turn"

    def __init__(self, device: str, dry: bool = False):
        self.device, self.rounds, self.budget = (
            device,
            (1, 1) if dry else (3, 60),
            0.0 if dry else 4.0,
        )
        self.flush = torch.empty(1 if dry else 64_000_000, device=device)  # 256 MB

    def once(self, f):
        "Seconds of one call"
        self.flush.zero_()
        if self.device == 'cpu':
            t = time.perf_counter()
            f()
            return time.perf_counter() - t
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(2_000_000)  # a millisecond, in which the CPU runs ahead: no wait is timed
        start.record()
        f()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1e3

    def compare(self, **functions) -> dict:
        "name -> milliseconds: median, quartiles, rounds; in turn until the time is used up"
        for f in functions.values():
            for _ in range(1 if self.device == 'cpu' else 2):
                f()
        times, begin = {k: [] for k in functions}, time.perf_counter()
        for i in range(self.rounds[1]):
            if i >= self.rounds[0] and time.perf_counter() - begin > self.budget:
                break
            for k, f in functions.items():
                times[k].append(1e3 * self.once(f))
        return {k: summary(v) for k, v in times.items()}


def summary(ms):
    q = statistics.quantiles(ms, n=4) if len(ms) > 1 else ms * 3
    return dict(median=q[1], quartiles=[q[0], q[2]], rounds=len(ms))


def wall(f, device, n=20) -> float:  # milliseconds
    "Median time of a call as a caller sees it, launches included"
    times = []
    for _ in range(n if device != 'cpu' else 1):
        t = time.perf_counter()
        f()
        if device != 'cpu':
            torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - t))
    return statistics.median(times)


def peak_memory(f, device) -> float:  # MB, None on a CPU
    "Most memory that a call needs at one time, over what was there before"
    if device == 'cpu':
        return None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    f()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def relative(x, want, least=1e-30):
    if not want.numel():
        return 0.0
    return ((x.double() - want).abs().max() / want.abs().max().clamp(min=least)).item()


def value_and_grads(f, args, seed=1):
    "The outputs of f and the gradients of a fixed random combination of them"
    args = [a.detach().requires_grad_() for a in args]
    out = f(*args)
    out = list(out) if isinstance(out, tuple) else [out]
    g = torch.Generator().manual_seed(seed)
    weights = [torch.randn(o.shape, generator=g, dtype=torch.float64).to(o) for o in out]
    return [o.detach() for o in out], list(
        torch.autograd.grad(sum((o * w).sum() for o, w in zip(out, weights)), args)
    )


def compared(f, reference, args) -> dict:
    "Errors of f against `reference` in float64, and whether a second run gives the same bits"
    (out, grads), (again, grads_again) = value_and_grads(f, args), value_and_grads(f, args)
    want, want_grads = value_and_grads(reference, [a.double() for a in args])
    same = lambda xs, ys: all(torch.equal(x, y) for x, y in zip(xs, ys))
    least = 1e-3 * max(g.abs().max().item() for g in want_grads)  # for one that should be 0
    return dict(
        forward=max(map(relative, out, want)),
        gradients=max(relative(g, w, least) for g, w in zip(grads, want_grads)),
        same_bits_forward=same(out, again),
        same_bits_gradients=same(grads, grads_again),
    )


SCANS = [
    dict(B=2, D=8, G=2, N=16, L=1),
    dict(B=2, D=6, G=6, N=5, L=31),
    dict(B=1, D=3, G=1, N=16, L=1025),
    dict(B=48, D=32, G=4, N=16, L=3072),
    dict(B=1, D=32, G=4, N=16, L=49152),
    dict(B=1, D=8, G=1, N=16, L=100_000),
    dict(B=2, D=4, G=1, N=64, L=77),
    dict(B=16, D=512, G=4, N=16, L=192),
]
MAPS = [
    dict(B=2, D=8, H=1, W=1),
    dict(B=2, D=3, H=1, W=65, R=3, N=5),
    dict(B=1, D=8, H=33, W=1),
    dict(B=2, D=8, H=37, W=51),
    dict(B=1, D=8, H=192, W=256),
    dict(B=3, D=16, H=96, W=128, last=True),
    dict(B=12, D=8, H=192, W=256, last=True),
    dict(B=2, D=128, H=12, W=16, R=4),
    dict(B=1, D=24, H=23, W=29, R=2, N=32),
]
NETWORK = [  # the maps of the network's SS2D blocks at 192x256, batch 16 (three a stage)
    dict(B=48, D=8, H=192, W=256, last=True),
    dict(B=48, D=16, H=96, W=128, last=True),
    dict(B=48, D=32, H=48, W=64, last=True),
    dict(B=48, D=64, H=24, W=32, R=2, last=True),
    dict(B=48, D=128, H=12, W=16, R=4, last=True),
    dict(B=16, D=128, H=6, W=8, R=4, last=True),
    dict(B=16, D=12, H=8, W=64, last=True),
    dict(B=16, D=16, H=64, W=6, last=True),
]
TINY_SCANS, TINY_MAPS = [dict(B=1, D=2, G=1, N=2, L=9)], [dict(B=1, D=2, H=2, W=3, N=2, last=True)]


def scan_example(device, B, D, G, N, L):
    "u, delta, A, B, C of a scan"
    g = torch.Generator().manual_seed(0)
    r = lambda *s: torch.randn(*s, generator=g).to(device)
    return (
        r(B, D, L),
        F.softplus(r(B, D, L) - 2),
        -N * torch.rand(D, N, generator=g).to(device),
        r(B, G, N, L),
        r(B, G, N, L),
    )


def map_example(device, B, D, H, W, N=16, R=1, last=False):
    "x, x_proj, dt_proj, dt_bias, A, D of the core of SS2D, distributed like a fresh block's"
    g = torch.Generator().manual_seed(0)
    r = lambda *s: torch.randn(*s, generator=g).to(device)
    x = r(B, D, H, W).to(memory_format=torch.channels_last if last else torch.contiguous_format)
    A = -torch.arange(1.0, N + 1, device=device).expand(4, D, N).contiguous()
    return (
        x,
        r(4, R + 2 * N, D) * D**-0.5,
        r(4, D, R) * R**-0.5,
        r(4, D) - 4,
        A,
        torch.ones(4, D, device=device),
    )


def parity(device, dry, say):
    "Errors of both Triton engines, shape by shape"
    from dermomamba.scan.gpu import scan_triton
    from dermomamba.scan.selection import scan_chunked
    from dermomamba.scan.ss2d import composed_scan
    from dermomamba.scan.ss2d_gpu import ss2d_triton

    rows = Rows()
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True  # with nan: nothing is left out
    for name, f, reference, example, shapes in (
        ('scan', scan_triton, scan_chunked, scan_example, TINY_SCANS if dry else SCANS),
        ('ss2d', ss2d_triton, composed_scan, map_example, TINY_MAPS if dry else MAPS),
    ):
        for shape in shapes:
            row = dict(engine=name, shape=shape, **compared(f, reference, example(device, **shape)))
            same = row['same_bits_forward'] and row['same_bits_gradients']
            row['ok'] = row['forward'] < 1e-5 and row['gradients'] < 1e-4 and same
            rows.append(row)
            bits = 'same bits' if same else 'other bits the second time'
            say(
                f"{'ok' if row['ok'] else 'WRONG':5} {name} {shape}: "
                f"forward {row['forward']:.0e}, gradients {row['gradients']:.0e}, {bits}"
            )
    if wrong := [r for r in rows if not r['ok']]:
        raise Failed(f'{len(wrong)} of {len(rows)} shapes are over the limits 1e-5 and 1e-4', rows)
    return rows


class Failed(Exception):
    "A part that has figures to report although it failed"

    def __init__(self, message, figures):
        super().__init__(message)
        self.figures = figures


def mamba_sources(source) -> Path:  # the folder csrc/selective_scan
    "Find mamba-ssm's kernel in a folder, or in a .tar.gz which is unpacked to a temporary folder"
    source = Path(source or '')
    if not str(source) or not source.exists() or source == Path(''):
        raise FileNotFoundError(
            f"--mamba build needs --mamba-source: the folder or .tar.gz of mamba-ssm's source "
            "(pip download --no-deps --no-binary :all: mamba-ssm gets one); "
            f"got '{source}'"
        )
    if source.is_file():
        folder = Path(tempfile.mkdtemp(prefix='mamba-source-'))
        with tarfile.open(source) as t:
            t.extractall(folder, filter='data')
        source = folder
    found = [p.parent for p in source.rglob('selective_scan.cpp')]
    if not found:
        raise FileNotFoundError(
            f'{source}: no csrc/selective_scan/selective_scan.cpp in it; '
            'is it the source of mamba-ssm?'
        )
    return found[0]


def build_mamba(source):
    "Compile selective_scan_cuda for the GPU at hand"
    from torch.utils import cpp_extension

    folder = mamba_sources(source)
    if not cpp_extension.CUDA_HOME or not (Path(cpp_extension.CUDA_HOME) / 'bin' / 'nvcc').exists():
        raise RuntimeError(
            f'building mamba-ssm needs nvcc of CUDA {torch.version.cuda}, and none was found '
            f'(CUDA_HOME is {cpp_extension.CUDA_HOME}): install the CUDA toolkit, '
            'or run without --mamba build'
        )
    if not cpp_extension.is_ninja_available():
        raise RuntimeError('building mamba-ssm needs ninja: pip install ninja')
    major, minor = torch.cuda.get_device_capability()
    os.environ['TORCH_CUDA_ARCH_LIST'] = f'{major}.{minor}'
    flags = [
        '-O3',
        '-std=c++20',
        '--use_fast_math',
        '--expt-relaxed-constexpr',
        '--expt-extended-lambda',
        '-U__CUDA_NO_HALF_OPERATORS__',
        '-U__CUDA_NO_HALF_CONVERSIONS__',
        '-U__CUDA_NO_BFLOAT16_OPERATORS__',
        '-U__CUDA_NO_BFLOAT16_CONVERSIONS__',
        '-U__CUDA_NO_BFLOAT162_OPERATORS__',
        '-U__CUDA_NO_BFLOAT162_CONVERSIONS__',
    ]
    files = sorted(map(str, [*folder.glob('*.cpp'), *folder.glob('*.cu')]))
    return cpp_extension.load(
        'selective_scan_cuda',
        files,
        extra_cflags=['-O3', '-std=c++20'],
        extra_cuda_cflags=flags,
        extra_include_paths=[str(folder)],
    )


def mamba_function(module):
    "selective_scan_fn out of the two functions of selective_scan_cuda; without d(last state)"

    class Scan(torch.autograd.Function):
        @staticmethod
        def forward(ctx, u, delta, A, B, C, D, delta_bias, delta_softplus):
            u, delta, B, C = (x.contiguous() for x in (u, delta, B, C))
            y, x, *_ = module.fwd(u, delta, A, B, C, D, None, delta_bias, delta_softplus)
            ctx.save_for_backward(u, delta, A, B, C, D, delta_bias, x)
            ctx.softplus = delta_softplus
            ctx.mark_non_differentiable(last := x[:, :, -1, 1::2].contiguous())
            return y, last

        @staticmethod
        def backward(ctx, dy, _):
            u, delta, A, B, C, D, delta_bias, x = ctx.saved_tensors
            du, dd, dA, dB, dC, dD, db, *_ = module.bwd(
                u,
                delta,
                A,
                B,
                C,
                D,
                None,
                delta_bias,
                dy.contiguous(),
                x,
                None,
                None,
                ctx.softplus,
                False,
            )
            return (
                du,
                dd,
                dA,
                dB,
                dC,
                dD if D is not None else None,
                db if delta_bias is not None else None,
                None,
            )

    def scan(
        u,
        delta,
        A,
        B,
        C,
        D=None,
        z=None,
        delta_bias=None,
        delta_softplus=False,
        return_last_state=False,
    ):
        y, last = Scan.apply(u, delta, A, B, C, D, delta_bias, delta_softplus)
        if z is not None:
            y = y * F.silu(z)
        return (y, last) if return_last_state else y

    return scan


def stand_in():
    "fwd and bwd with selective_scan_cuda's signatures, made of our chunked form"
    from dermomamba.scan.selection import scan_chunked

    def run(u, delta, A, B, C, D, bias, softplus):
        if bias is not None:
            delta = delta + bias[:, None]
        y, last = scan_chunked(u, F.softplus(delta) if softplus else delta, A, B, C)
        return (y if D is None else y + D[:, None] * u), last

    def fwd(u, delta, A, B, C, D, z, bias, softplus):
        y, last = run(u, delta, A, B, C, D, bias, softplus)
        return y, torch.stack([last * 0, last], -1).flatten(2)[:, :, None]

    def bwd(u, delta, A, B, C, D, z, bias, dy, x, out, dz, softplus, recompute):
        given = u, delta, A, B, C, D, bias
        leaves = [None if t is None else t.detach().requires_grad_() for t in given]
        with torch.enable_grad():
            y, _ = run(*leaves, softplus)
        grads = iter(torch.autograd.grad(y, [t for t in leaves if t is not None], dy))
        return tuple(None if t is None else next(grads) for t in leaves)

    return types.SimpleNamespace(fwd=fwd, bwd=bwd)


def mamba_engine(how, source, device):
    "The scan of mamba_ssm as a function, also made the engine 'mamba_ssm'; None: not wanted"
    from dermomamba.scan.engines import register_engine

    if how == 'off':
        return None
    if how == 'build':
        fn = mamba_function(build_mamba(source))
    elif how == 'stand-in':
        fn = source
    else:
        try:
            from mamba_ssm.ops.selective_scan_interface import selective_scan_fn as fn
        except Exception as e:
            raise RuntimeError(
                f'mamba_ssm is not here ({e}): everything else is measured without it. '
                'To compile its kernel alone: --mamba build --mamba-source FOLDER_OR_TAR_GZ'
            ) from e

    def engine(*args, return_last_state=True):
        return fn(*args, return_last_state=return_last_state)

    register_engine('mamba_ssm', engine)
    return fn


def against_mamba(fn, device, dry, say):
    "Our plain scan and mamba_ssm's on the same input: differences, and time of each"
    from dermomamba.scan.gpu import scan_triton

    clock, rows = Clock(device, dry), Rows()
    for shape in TINY_SCANS if dry else [s for s in SCANS if s['L'] > 100]:
        args = scan_example(device, **shape)
        forms = dict(triton=lambda *a: scan_triton(*a)[0], mamba_ssm=lambda *a: fn(*a))
        (y, g), (y2, g2) = (value_and_grads(f, args) for f in forms.values())
        leaves = [a.requires_grad_() for a in args]
        with torch.no_grad():
            forward = clock.compare(**{k: (lambda f=f: f(*args)) for k, f in forms.items()})
        both = clock.compare(
            **{
                k: (lambda f=f: torch.autograd.grad(f(*leaves).sum(), leaves))
                for k, f in forms.items()
            }
        )
        row = dict(
            shape=shape,
            difference=max(map(relative, y, [v.double() for v in y2])),
            difference_gradients=max(map(relative, g, [v.double() for v in g2])),
            forward=forward,
            forward_backward=both,
        )
        rows.append(row)
        ratio = [t['mamba_ssm']['median'] / t['triton']['median'] for t in (forward, both)]
        say(
            f"{shape}: differ by {row['difference']:.0e}, gradients "
            f"{row['difference_gradients']:.0e}; mamba_ssm / ours: forward {ratio[0]:.2f}, "
            f"with backward {ratio[1]:.2f}"
        )
    return rows


def compile_one(job):
    "Run one engine at one shape, so that Triton keeps its kernels"
    name, device, shape = job
    from dermomamba.scan.gpu import scan_triton
    from dermomamba.scan.ss2d_gpu import ss2d_triton

    f, example = dict(scan=(scan_triton, scan_example), ss2d=(ss2d_triton, map_example))[name]
    value_and_grads(f, example(device, **shape))


def compile_all(device, dry, say):
    "All kernels at all shapes, in processes side by side"
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    jobs = [('scan', device, s) for s in (TINY_SCANS if dry else SCANS)]
    jobs += [('ss2d', device, s) for s in (TINY_MAPS if dry else MAPS + NETWORK)]
    workers = 1 if dry else min(12, os.cpu_count())
    with ProcessPoolExecutor(workers, get_context('spawn')) as pool:
        list(pool.map(compile_one, jobs))
    say(f'{len(jobs)} shapes in {workers} processes')
    return dict(shapes=len(jobs), processes=workers)


def time_core(engines, device, dry, say):
    "The core of SS2D at each shape of the network, fused and composed: milliseconds, peak memory"
    from dermomamba.scan.ss2d import composed_scan
    from dermomamba.scan.ss2d_gpu import ss2d_triton

    clock, rows = Clock(device, dry), Rows()
    for shape in TINY_MAPS if dry else NETWORK:
        args = map_example(device, **shape)
        leaves = [a.detach().requires_grad_() for a in args]
        forms = dict(
            one_pass=ss2d_triton,
            **{e: (lambda *a, e=e: composed_scan(*a, engine=e)) for e in engines},
        )
        step = {
            k: (lambda f=f: torch.autograd.grad(f(*leaves).sum(), leaves)) for k, f in forms.items()
        }
        with torch.no_grad():
            forward = clock.compare(**{k: (lambda f=f: f(*args)) for k, f in forms.items()})
        both, memory = clock.compare(**step), {k: peak_memory(f, device) for k, f in step.items()}
        seen = {k: wall(f, device) for k, f in step.items()}
        rows.append(
            dict(shape=shape, forward=forward, forward_backward=both, wall=seen, memory_mb=memory)
        )
        for e in engines:
            r = [t[e]['median'] / t['one_pass']['median'] for t in (forward, both)]
            m = memory[e] / memory['one_pass'] if memory[e] else float('nan')
            say(
                f"{shape['B']} x {shape['D']} x {shape['H']} x {shape['W']}: one pass "
                f"{forward['one_pass']['median']:.3f} ms, with backward "
                f"{both['one_pass']['median']:.3f} ms (wall {seen['one_pass']:.3f}); composed "
                f"with {e}: {r[0]:.1f} and {r[1]:.1f} times that, memory {m:.1f} times"
            )
    return rows


def training_step(device, dry, say):
    "Steps of the real training, fastai's path, on phantom images: time, and the longest kernels"
    from fastai.callback.core import Callback
    from torch.profiler import ProfilerActivity, profile

    from dermomamba.data.phantom import phantom_dls
    from dermomamba.network.dermomamba import DermoMamba
    from dermomamba.training.learner import dermo_learner
    from dermomamba.training.long_runs import EMA, StopOnNaN

    size, batch = ((32, 64), 2) if dry else ((192, 256), 16)
    widths = dict(widths=(8,) * 6) if dry else {}
    n = 3 if dry else 40
    dls = phantom_dls(n_train=n * batch, n_valid=batch, size=size, bs=batch, device=device)
    times = []

    class Watch(Callback):
        order = 1000

        def after_batch(self):
            if self.training:
                times.append(time.perf_counter())

    model = DermoMamba(size, **widths)
    learn = dermo_learner(dls, model, metrics=[], cbs=[EMA(), StopOnNaN(), Watch()])
    if device != 'cpu':
        learn.to_bf16()
    kinds = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device != 'cpu' else [])
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
        between = [1e3 * (b - a) for a, b in zip(times, times[1:])]
        with profile(activities=kinds) as p:
            learn.fit(1)
    took = lambda e: getattr(e, 'self_device_time_total', 0) or e.self_cpu_time_total
    longest = sorted(p.key_averages(), key=took, reverse=True)[:40]
    table = [dict(name=e.key[:90], calls=e.count, ms=took(e) / 1e3) for e in longest]
    say(f'median {statistics.median(between):.1f} ms a step; longest: {table[0]["name"]}')
    return dict(milliseconds=summary(between), batch=batch, size=size, longest=table)


class _Tiny(nn.Module):
    "Stands in for the network in a dry run"

    def __init__(self):
        super().__init__()
        from dermomamba.scan.ss2d import SS2D

        self.stem, self.ss2d, self.head = nn.Conv2d(3, 1, 1), SS2D(1, d_state=2), nn.Conv2d(1, 1, 1)

    def forward(self, x):
        return self.head(self.ss2d(self.stem(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def time_network(engines, device, dry, say):
    "Milliseconds and peak memory of DermoMamba at 192x256: step at batch 16, inference at 1"
    from dermomamba.network.dermomamba import DermoMamba
    from dermomamba.scan.ss2d import set_engine

    torch.manual_seed(0)
    model = (_Tiny() if dry else DermoMamba()).to(device)
    size, batch = ((2, 3), 1) if dry else ((192, 256), 16)
    x, y = (
        torch.randn(batch, 3, *size, device=device),
        (torch.rand(batch, 1, *size, device=device) > 0.7).float(),
    )
    opt, clock = torch.optim.AdamW(model.parameters(), lr=1e-6), Clock(device, dry)

    def step(e):
        set_engine(model.train(), e)
        opt.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16):
            loss = F.binary_cross_entropy_with_logits(model(x).float(), y)
        loss.backward()
        opt.step()

    def infer(e):
        set_engine(model.eval(), e)
        with torch.no_grad(), torch.autocast(device, torch.bfloat16):
            model(x[:1])

    clock.budget = 0.0 if dry else 15.0
    train, memory = (
        clock.compare(**{e: (lambda e=e: step(e)) for e in engines}),
        {e: peak_memory(lambda: step(e), device) for e in engines},
    )
    alone = clock.compare(**{e: (lambda e=e: infer(e)) for e in engines})
    for e in engines:
        say(
            f"{e:9} training step {train[e]['median']:.1f} ms, "
            f"peak {memory[e] or float('nan'):.0f} MB; inference, batch 1 "
            f"{alone[e]['median']:.2f} ms"
        )
    return dict(training_step=train, inference=alone, memory_mb=memory, batch=batch, size=size)


def rates(device, dry) -> dict:
    "Bytes a second of a copy, exponentials a second"
    import triton
    import triton.language as tl

    @triton.jit
    def exp2_many(out, rounds, K: tl.constexpr):
        "K numbers a program, each put through 2**-x `rounds` times"
        x = tl.arange(0, K)*1e-3
        for _ in range(rounds):
            x = tl.exp2(-x)
        tl.store(out + tl.program_id(0)*K + tl.arange(0, K), x)

    clock, n = Clock(device, dry), 1000 if dry else 2**28
    a = torch.randn(n, device=device)
    b = torch.empty_like(a)
    copy = clock.compare(copy=lambda: b.copy_(a))['copy']['median'] / 1e3
    programs, rounds, K = (1, 3, 4) if dry else (4096, 4096, 1024)
    out = torch.empty(programs * K, device=device)
    took = (
        clock.compare(exp2=lambda: exp2_many[(programs,)](out, rounds, K=K, num_warps=4))['exp2'][
            'median'
        ]
        / 1e3
    )
    want = torch.arange(K) * 1e-3
    for _ in range(rounds if dry else 40):  # it ends at 0.641 from anywhere near
        want = 2**-want
    assert torch.allclose(out[:K].cpu(), want, atol=1e-5)
    return dict(bytes=2 * 4 * n / copy, exponentials=programs * rounds * K / took)


def least_work(
    B, D, H, W, N, R, T
) -> dict:  # kernel -> (bytes, exponentials), per call of the engine (all directions)
    "What the launches of the fused engine cannot avoid; `_ends` and `carry` run in both passes"
    x, steps, states = 4 * B * D * H * W, 4 * B * D * H * W, 4 * 4 * B * D * N * (H * W // T + 1)
    work = steps * (N + 2)
    return dict(
        _ends=((x + states) + (2 * x + states), 2 * work),
        carry=(2 * 2 * states, 2 * steps * N // T),
        _outputs=(4 * (x + x) + 3 * x + states, work),
        _gradients=(4 * 3 * x + 3 * x + 2 * states, work + 2 * steps),
    )


def kernel_times(f, device, n=10) -> dict:  # kernel -> milliseconds a call
    "What each of our kernels takes inside f"
    from torch.profiler import ProfilerActivity, profile

    f()
    with profile(
        activities=[ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device != 'cpu' else [])
    ) as p:
        for _ in range(n):
            f()
        if device != 'cpu':
            torch.cuda.synchronize()
    took = lambda e: getattr(e, 'device_time_total', getattr(e, 'cuda_time_total', 0))
    return {
        e.key: took(e) / 1e3 / n
        for e in p.key_averages()
        if e.key in ('_ends', 'carry', '_outputs', '_gradients')
    }


def floor(device, dry, say):
    "How far each kernel of the fused engine is from the floor, at stage 1, batch 16"
    from dermomamba.scan.ss2d_gpu import launch_sizes, ss2d_triton

    rate, shape = (
        rates(device, dry),
        TINY_MAPS[0] if dry else dict(B=16, D=8, H=192, W=256, last=True),
    )
    leaves = [a.detach().requires_grad_() for a in map_example(device, **shape)]
    B, D, H, W, N, R = *leaves[0].shape, leaves[4].shape[2], leaves[2].shape[2]
    least = least_work(B, D, H, W, N, R, launch_sizes(leaves[0], N, R)[0]['T'])
    took = kernel_times(
        lambda: torch.autograd.grad(ss2d_triton(*leaves).sum(), leaves), device, 1 if dry else 10
    )
    say(f"copy {rate['bytes'] / 1e9:.0f} GB/s, exp2 {rate['exponentials'] / 1e9:.0f} G/s")
    rows = {}
    for k, (size, exps) in least.items():
        bound = dict(
            bytes_ms=1e3 * size / rate['bytes'], exponentials_ms=1e3 * exps / rate['exponentials']
        )
        rows[k] = dict(
            bound,
            took_ms=took.get(k),
            times_floor=took[k] / max(bound.values()) if took.get(k) else None,
        )
        say(
            f"{k:11} bytes {bound['bytes_ms']:.3f} ms, exponentials "
            f"{bound['exponentials_ms']:.3f} ms, took {took.get(k, float('nan')):.3f} ms"
        )
    return dict(rates=rate, kernels=rows)


PARTS = 'compile', 'parity', 'scan', 'core', 'network', 'training', 'floor'


def run_part(name, device, dry, mamba, source, say=print):
    "The figures of one part, and why it failed, if it did"
    begin, record = time.perf_counter(), dict(figures=None, failed=None)
    if dry:
        from notebooks import look_once, rest_collector

        look_once()
        rest_collector()
    other = ['triton'] if dry else ['triton', 'chunked']
    fn = None
    try:
        if name in ('scan', 'core', 'network'):
            try:
                fn = mamba_engine(mamba, source, device)
            except Exception as e:
                if name == 'scan':
                    raise
                say(f'without mamba_ssm: {e}')
            other = ['triton', 'mamba_ssm'] if fn else other
        parts = dict(
            compile=lambda: compile_all(device, dry, say),
            parity=lambda: parity(device, dry, say),
            scan=lambda: against_mamba(fn, device, dry, say) if fn else 'not asked for',
            core=lambda: time_core(other[1:] if dry else other, device, dry, say),
            network=lambda: time_network(other, device, dry, say),
            training=lambda: training_step(device, dry, say),
            floor=lambda: floor(device, dry, say),
        )
        record['figures'] = parts[name]()
    except Exception as e:
        record['failed'] = f'{type(e).__name__}: {e}'
        record['figures'] = getattr(e, 'figures', None)
        say(f'FAILED: {e}')
        if not isinstance(e, (Failed, RuntimeError, FileNotFoundError)):
            say(traceback.format_exc())
    say(f'   {name}: {time.perf_counter() - begin:.0f} s')
    return record


def run(argv, out) -> dict:  # figures of each part, and `failed`: name -> message
    "Each part in a process of its own; what is known so far is in the file `out` after each"
    record = dict(failed={})
    for name in PARTS:
        print(f'== {name}', flush=True)
        file = Path(f'{out}.{name}.json')
        file.unlink(missing_ok=True)
        code = subprocess.run([sys.executable, '-u', __file__, *argv, '--part', name]).returncode
        made = json.loads(file.read_text()) if file.exists() else {}
        record[name] = made.get('figures')
        if code or made.get('failed'):
            record['failed'][name] = made.get('failed') or f'ended with exit code {code}'
        file.unlink(missing_ok=True)
        Path(out).write_text(json.dumps(record))
    return record


def pack(archive, wheels, mamba_source):
    "One archive with all that the check needs on a machine without network"
    listed = ['git', 'ls-files', 'dermomamba', '.ci', 'data', 'settings.ini', 'setup.py']
    files = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout
    with tarfile.open(archive, 'w:gz') as t:
        for name in files.splitlines():
            t.add(root / name, name)
        for wheel in sorted(Path(wheels).glob('*.whl')) if wheels else ():
            t.add(wheel, f'wheels/{wheel.name}')
        if mamba_source:
            t.add(mamba_source, Path(mamba_source).name)
    size = Path(archive).stat().st_size / 2**20
    if size >= 64:
        raise SystemExit(f'{archive} has {size:.0f} MiB, 64 are allowed: give fewer --wheels')
    print(f'{archive}: {len(files.splitlines())} files of the project, {size:.1f} MiB')


PROTOCOL = (
    'a process for each part; CUDA events behind a sleep of 1 ms, so that launches are not timed; '
    'wall: median of 20 calls with them; 2 warm-up calls; functions in turn, each after 256 MB '
    'were overwritten; up to 60 rounds or 4 s (network: 15 s), at least 3 rounds; '
    'median and quartiles in ms; new memory of the parity part is filled with nan; '
    'peak memory: most allocated during forward + backward over what was there before; '
    'limits of errors 1e-5 forward, 1e-4 gradients, '
    'largest difference over largest value of the chunked form in float64, for gradients at least '
    'a thousandth of the largest of them'
)


def check_itself():
    "Would it notice? Right and wrong functions, a source that is none, and a part that fails"
    from dermomamba.scan.selection import scan_chunked

    x, args = [torch.randn(50)], scan_example('cpu', B=1, D=4, G=2, N=3, L=20)
    right = compared(torch.sin, torch.sin, x)
    assert right['forward'] < 1e-6 and right['gradients'] < 1e-6 and right['same_bits_forward']
    assert compared(lambda x: x.float() * 1.001, lambda x: x * 1.0, x)['forward'] > 5e-4
    noisy = compared(lambda x: x + 1e-3 * torch.rand(50), lambda x: x * 1.0, x)
    assert not noisy['same_bits_forward']
    passed_along = compared(mamba_function(stand_in()), lambda *a: scan_chunked(*a)[0], args)
    assert passed_along['forward'] < 1e-6 and passed_along['gradients'] < 1e-6
    assert summary([5.0]) == dict(median=5.0, quartiles=[5.0, 5.0], rounds=1)
    with tempfile.TemporaryDirectory() as d:
        (Path(d) / 'm' / 'selective_scan').mkdir(parents=True)
        try:
            mamba_sources(d)
        except FileNotFoundError as e:
            assert 'is it the source of mamba-ssm' in str(e)
        else:
            raise AssertionError('a folder without sources was taken')
        (Path(d) / 'm' / 'selective_scan' / 'selective_scan.cpp').write_text('//')
        with tarfile.open(f'{d}/m.tar.gz', 'w:gz') as t:
            t.add(f'{d}/m', 'm')
        assert mamba_sources(f'{d}/m.tar.gz').name == 'selective_scan'


def main(argv=None):
    "Check and time the GPU engines; see --help"
    p = argparse.ArgumentParser(
        'gpu_check.py', description='Correctness and speed of the Triton engines on this GPU'
    )
    p.add_argument('--out', default='gpu.json', help='JSON file (default %(default)s)')
    p.add_argument('--part', choices=PARTS, help='only this part, in this process')
    p.add_argument('--pack', metavar='TAR_GZ', help='only write an archive to take there')
    p.add_argument('--wheels', help='folder of .whl files for --pack')
    p.add_argument(
        '--mamba',
        choices=['auto', 'off', 'build'],
        default='auto',
        help='use mamba_ssm if installed, do not, or compile its kernel from --mamba-source',
    )
    p.add_argument('--mamba-source', help='folder or .tar.gz of the source of mamba-ssm')
    p.add_argument(
        '--dry',
        action='store_true',
        help="tiny shapes on the CPU in Triton's interpreter: tests this script, measures nothing",
    )
    a = p.parse_args(argv)
    if a.pack:
        return pack(a.pack, a.wheels, a.mamba_source)
    if a.dry:
        os.environ['TRITON_INTERPRET'] = '1'
    elif not torch.cuda.is_available():
        print('no CUDA device here: nothing to check (--dry runs the script itself on the CPU)')
        return 1
    if a.part:
        mamba, source = a.mamba, a.mamba_source
        if a.dry:
            mamba, source = 'stand-in', mamba_function(stand_in())
        with open(f'{a.out}.rows', 'a') as Rows.file:
            made = run_part(a.part, 'cpu' if a.dry else 'cuda', a.dry, mamba, source)
        Path(f'{a.out}.{a.part}.json').write_text(json.dumps(made))
        return 0
    if a.dry:
        check_itself()
        with tempfile.TemporaryDirectory() as d:
            pack(f'{d}/gpu_day.tar.gz', None, None)
            return report(run(['--dry', '--out', f'{d}/gpu.json'], f'{d}/gpu.json'), a)
    return report(run(sys.argv[1:] if argv is None else argv, a.out), a)


def report(record, a):
    "Write the record, say what failed"
    from dermomamba.core import write_record

    import triton

    if not a.dry:
        write_record(a.out, protocol=PROTOCOL, triton=triton.__version__, **record)
    for name, why in record['failed'].items():
        print(f'failed: {name}: {why}')
    return 1 if record['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
