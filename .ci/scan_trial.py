"""The trial of the scans: what was put in the place of each scan, trained and scored by one recipe.

Its records are in data/results/scans and are read in nbs/5_evidence/4_do_the_scans_matter.ipynb.
FixedSS2D is a state-space model that selects nothing: step size, B and C are learnt, and the same
at every pixel. RowsSS2D walks along rows only. ConvSS2D has no scan, but a depthwise 7x7
convolution, as in the block of MambaOut (arXiv:2405.07992). Longer steps, larger B and C and no
skip make a scan louder from the first step on; NormedSS2D and UnitBCSS2D change what is added. All
variants share the order of images, the augmentation, the loss and the number of epochs; nothing is
chosen on the test images, which are looked at once, at the end.

    scan_trial.py check                        # is each variant what it claims? half a minute
    scan_trial.py run ISIC2018 OUT full woken  # train and score these, three seeds; it goes on
    scan_trial.py strips RECORD                # the task that needs a scan, five ways, three seeds
    scan_trial.py times RECORD                 # seconds of each variant, in turns: two minutes
    scan_trial.py summary data/results/scans   # runs.csv, tables.csv and summary.json from the runs
"""
import json
import sys
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.torch_core import set_seed
from torch import Tensor

from dermomamba.core import write_atomic, write_csv, write_record
from dermomamba.data.datasets import open_dataset, parts
from dermomamba.evidence.cost import make_job
from dermomamba.evidence.speed import interleave
from dermomamba.evidence.statistics import paired_difference
from dermomamba.network.blocks import CrossScaleMambaBlock
from dermomamba.network.dermomamba import DermoMamba
from dermomamba.scan.engines import selective_scan, use_engine
from dermomamba.scan.ss2d import SS2D, cross_selective_scan, inverse_softplus
from dermomamba.training.learner import SCAN_VECTORS, ListAdam, ScansWithoutDecay
from dermomamba.training.metrics import dice_per_image
from dermomamba.training.recipe import RECIPES, build_learner, make_dls, score_learner


def scan_cores(
    model:nn.Module, # any network with SS2D blocks
) -> dict:           # name -> SS2D, in the order in which the network runs them
    "The cores that scan"
    return {k: m for k, m in model.named_modules() if isinstance(m, SS2D)}


@torch.no_grad()
def scan_share(
    core:SS2D, # whose scan
    x:Tensor,  # what it scans (B, d_inner, H, W)
) -> float:    # norm of its scan over norm of its skip term; None if there is no skip
    "How loud a scan is beside its own skip"
    y = core.scan(x)
    with use_engine('silent'): skip = core.scan(x)
    loud, other = (y - skip).norm().item(), skip.norm().item()
    return loud/other if other else None


@torch.no_grad()
def scan_shares(
    model:nn.Module, # any network with SS2D blocks
    x:Tensor,        # its input (B, 3, H, W)
) -> dict:           # name of a core -> its share
    "The share of each scan"
    heard, hooks = {}, []
    for name, core in scan_cores(model).items():
        def listen(conv, inputs, output, name=name):
            heard[name] = F.silu(output)     # what the core scans
        hooks.append(core.conv2d.register_forward_hook(listen))
    try: model(x)
    finally:
        for h in hooks: h.remove()
    return {name: scan_share(core, heard[name]) for name, core in scan_cores(model).items()}


@torch.no_grad()
def probe(
    model:nn.Module, # a DermoMamba
    batches,         # of normalised images (B, 3, H, W) and masks (B, H, W)
) -> dict:           # Dice with and without the scans, and between both masks, an array each
    "What silencing all scans changes, image by image, at threshold .5"
    model.eval()
    rows = []
    for x, mask in batches:
        z = model(x)
        with use_engine('silent'): quiet = model(x)
        mask = mask.as_subclass(Tensor)
        same = dice_per_image(quiet, (z > 0).long())
        rows.append(torch.stack([dice_per_image(z, mask), dice_per_image(quiet, mask), same]))
    dice, without, agreement = torch.cat(rows, 1).numpy()
    return dict(dice=dice, silenced=without, agreement=agreement)


class FixedSS2D(SS2D):
    "Step size, B and C are learnt, and the same for every pixel: a fixed state-space model"
    def __init__(self, dim, **kwargs):
        super().__init__(dim, **kwargs)
        self.BC = nn.Parameter(torch.randn(4, 2*self.d_state)*self.d_state**-.5)
        del self.x_proj_weight, self.dt_projs_weight

    def scan(self, x): # (B, d_inner, H, W) -> (B, d_inner, H, W)
        "The weights that read pixels read a channel of ones instead"
        di, N = self.d_inner, self.d_state
        x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        constants = F.pad(self.BC, (1, 0))[:, :, None]                    # (4, 1 + 2N, 1)
        x_proj = F.pad(constants, (di, 0))              # zero for all other channels
        dt_proj = x.new_zeros(4, di + 1, 1)
        A = -self.A_logs.float().exp().view(4, di, N)
        A = F.pad(A, (0, 0, 0, 1), value=-1.)
        dt_bias, D = F.pad(self.dt_projs_bias, (0, 1)), F.pad(self.Ds.view(4, -1), (0, 1))
        return cross_selective_scan(x, x_proj, dt_proj, dt_bias, A, D, self.engine)[:, :di]


class RowsSS2D(SS2D):
    "Scans along rows, both ways; along columns only the skip term is left"
    def scan(self, x): # (B, d_inner, H, W) -> (B, d_inner, H, W)
        x_proj, *others = self.scan_weights()
        along_rows = x.new_tensor([1., 0, 1, 0])[:, None, None]
        R, N = self.dt_rank, self.d_state
        dt, B, C = x_proj.split([R, N, N], 1)
        x_proj = torch.cat([dt, B, C*along_rows], 1)    # C = 0: nothing is read out
        return cross_selective_scan(x, x_proj, *others, self.engine)


class ConvSS2D(SS2D):
    "A depthwise 7x7 convolution in the place of the scan, as in MambaOut's block"
    def __init__(self, dim, **kwargs):
        super().__init__(dim, **kwargs)
        self.mix = nn.Conv2d(self.d_inner, self.d_inner, 7, padding=3, groups=self.d_inner)
        del self.x_proj_weight, self.dt_projs_weight, self.dt_projs_bias, self.A_logs, self.Ds

    def scan(self, x): return self.mix(x) # (B, d_inner, H, W) -> (B, d_inner, H, W)


class NormedSS2D(SS2D):
    "The scan is brought to unit size at each pixel before the skip is added"
    def scan(self, x): # (B, d_inner, H, W) -> (B, d_inner, H, W)
        *weights, D = self.scan_weights()
        y = cross_selective_scan(x, *weights, torch.zeros_like(D), self.engine)
        y = y*(y.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        return y + D.sum(0)[:, None, None]*x


class UnitBCSS2D(SS2D):
    "u is brought to unit size at each pixel before B and C are made from it"
    def scan(self, x): # (B, d_inner, H, W) -> (B, d_inner, H, W)
        *weights, D = self.scan_weights()
        size = (x.square().mean(1, keepdim=True) + 1e-8).sqrt()
        y = cross_selective_scan(x/size, *weights, torch.zeros_like(D), self.engine)
        return y*size.mean((2, 3), keepdim=True) + D.sum(0)[:, None, None]*x


def swap(
    model:nn.Module, # a network with SS2D blocks
    kind:type,       # a subclass of SS2D with the same arguments
) -> nn.Module:      # the same network
    "Put another core in the place of each, with the weights that both have"
    for name, old in scan_cores(model).items():
        new = kind(old.in_proj.in_features, d_state=old.d_state, dt_rank=old.dt_rank)
        new.load_state_dict(old.state_dict(), strict=False)
        parent, _, leaf = name.rpartition('.')
        setattr(model.get_submodule(parent), leaf, new)
    return model


@torch.no_grad()
def longer_steps(
    model:nn.Module, # a network with SS2D blocks
    factor:float,    # on the step sizes at the start
) -> nn.Module:      # the same network
    "Multiply the step sizes of all scans"
    for core in scan_cores(model).values():
        dt = factor*F.softplus(core.dt_projs_bias)
        core.dt_projs_bias.copy_(inverse_softplus(dt))
    return model


@torch.no_grad()
def louder_BC(
    model:nn.Module, # a network with SS2D blocks
    factor:float,    # on the rows of `x_proj` that make B and C
) -> nn.Module:      # the same network
    "Multiply B and C of all scans"
    for core in scan_cores(model).values(): core.x_proj_weight[:, core.dt_rank:] *= factor
    return model


@torch.no_grad()
def without_skip(
    model:nn.Module,   # a network with SS2D blocks
    keep:bool=False,   # keep D at 0 in training?
) -> nn.Module:        # the same network
    "Start with D = 0: only what was scanned comes out"
    for core in scan_cores(model).values():
        core.Ds.zero_()
        core.Ds.requires_grad_(not keep)
    return model


class PlainUNet(nn.Module):
    "MONAI's BasicUNet: five stages of two 3x3 convolutions, skips, no attention and no scan"
    def __init__(self, widths):
        super().__init__()
        from monai.networks.nets import BasicUNet
        features = (*widths, widths[0])
        self.net = BasicUNet(2, 3, 1, features=features, norm='batch', act='relu')
    def forward(self, x): return self.net(x)      # (B, 3, H, W) -> logits (B, 1, H, W)


def _without(model, what):
    "Cut out the blocks that a variant does without; a silent core stays, and keeps its skip"
    if what.startswith('skip_only'):
        for core in scan_cores(model).values(): core.engine = 'silent'
    if what == 'no_vss':
        for stage in model.encoder: stage.block.vss = nn.Identity()
    if what == 'no_sweep': model.sweep = nn.Identity()
    if what == 'no_cbam': model.skips = nn.ModuleList(nn.Identity() for _ in model.skips)
    return model


# D*u only, widened until a training step takes as long as with scans
WIDER = (20, 20, 40, 80, 160, 320)
UNET = (32, 32, 64, 128, 256)         # a plain U-Net whose training step takes as long
VARIANTS = ['full', 'full_wide', 'woken', 'skip_only', 'skip_only_wide', 'conv7', 'fixed',
            'rows', 'no_vss', 'no_sweep', 'no_cbam', 'unet']
WAKING = ['steps10', 'steps30', 'no_skip', 'no_skip_ever', 'normed', 'own_rate', 'BC5', 'unit_u',
          'steps10_BC5', 'steps10_BC5_no_skip', 'BC5_own_rate', 'eps8', 'eps12']
EPS = dict(eps8=1e-8, eps12=1e-12)      # of Adam: torch's default, and less; fastai's is 1e-5
SEEDS = 1, 2, 3
TRIAL = dict(epochs=5, n_train=640, woken='normed')  # of the runs in data/results/scans/equal
OWN_RATE = 10                           # of the scans' parameters over that of the others
SWAPS = dict(conv7=ConvSS2D, fixed=FixedSS2D, rows=RowsSS2D, normed=NormedSS2D, unit_u=UnitBCSS2D)


def make_variant(
    name:str,     # of `VARIANTS` or `WAKING`
    size:tuple,   # (H, W) of the images
    woken:str='', # which of `WAKING` the variant 'woken' is
) -> nn.Module:
    "A `tiny` DermoMamba with one thing changed"
    if name == 'woken': name = woken
    if name == 'unet': return PlainUNet(UNET)
    widths = dict(widths=WIDER) if name.endswith('_wide') else {}
    model = DermoMamba.preset('tiny', img_size=tuple(size), **widths)
    if name in ('full', 'full_wide', 'own_rate', 'decayed', *EPS): return model
    if name in SWAPS: return swap(model, SWAPS[name])
    if name.startswith(('skip_only', 'no_vss', 'no_sweep', 'no_cbam')): return _without(model, name)
    if 'steps10' in name: longer_steps(model, 10)
    if 'steps30' in name: longer_steps(model, 30)
    if 'BC5' in name: louder_BC(model, 5)
    if 'no_skip' in name: without_skip(model, keep='ever' in name)
    if not any(p in name for p in ('steps', 'BC5', 'no_skip')):
        raise ValueError(f"no variant {name!r}; choose one of {', '.join(VARIANTS + WAKING)}")
    return model


def scans_apart(model):
    "Two groups of parameters: those of the scans, and all others before them"
    mine = {'x_proj_weight', 'dt_projs_weight', 'dt_projs_bias', 'A_logs', 'Ds', 'BC'}
    groups = [[], []]
    for name, p in model.named_parameters():
        if p.requires_grad: groups[name.rpartition('.')[2] in mine].append(p)
    return groups


class KeepShares(Callback):
    "Write the share of each scan at the start and after every epoch"
    order = 70 # after the checkpoint
    def __init__(self, path, x): self.path, self.x = Path(path), x
    def _write(self, epoch):
        rows = json.loads(self.path.read_text()) if self.path.exists() else []
        rows = [r for r in rows if r['epoch'] < epoch]
        training = self.learn.model.training
        shares = scan_shares(self.learn.model.eval(), self.x)
        self.learn.model.train(training)
        write_atomic(self.path, json.dumps(rows + [dict(epoch=epoch, **shares)], indent=1))
    def before_epoch(self):
        if self.epoch == 0 and not self.path.exists(): self._write(0)
    def after_epoch(self):
        scoring = not self.learn.create_mbar     # a prediction runs through an epoch of its own
        if not scoring and self.epoch + 1 > self.learn.checkpoint.done: self._write(self.epoch + 1)


def score_role(learn, dl, ids, out):
    "Scores of one role's images, with the scans as trained and silenced, written as CSV"
    rows, means = score_learner(learn, dl, ids)
    found = dict(dice=means['dice'], iou=means['iou'])
    cores = [m for m in scan_cores(learn.model).values() if not isinstance(m, ConvSS2D)]
    if cores and any(m.engine != 'silent' for m in cores):
        p = probe(learn.model, dl)
        for row, q, a in zip(rows, p['silenced'], p['agreement']):
            row.update(dice_silenced=float(q), agreement=float(a))
        found.update(
            dice_silenced=float(p['silenced'].mean()), agreement=float(p['agreement'].mean()))
    write_csv(out, rows)
    return found


def _learner(model, data, out, seed, facts, n_train, r):
    "The Learner of a recipe, and the names of the validation images"
    dls, names = make_dls(
        data, facts['size'], r['bs'], r['augment'], 'heldout', 0, 42, n_train, 'cpu')
    if n_train: dls.valid = dls.test_dl(dls.valid_ds.items, with_labels=True)
    learn = build_learner(dls, model, out, r, seed, facts)
    learn.remove_cb(ScansWithoutDecay)
    if facts['variant'] != 'decayed': learn.add_cb(ScansWithoutDecay((*SCAN_VECTORS, 'BC')))
    x = torch.cat([dls.valid.one_batch()[0]]).as_subclass(Tensor)
    if scan_cores(model) and facts['way'] != 'conv7':
        learn.add_cb(KeepShares(out/'shares.json', x))
    return learn, names


def _fit(learn, way, epochs, r):
    "By the recipe's schedule; the scans at a rate of their own where the variant says so"
    rate = r['lr']
    if way in EPS: learn.opt_func = partial(ListAdam, eps=EPS[way])
    if 'own_rate' in way:
        learn.splitter = scans_apart
        rate = [rate, OWN_RATE*rate]
    if r['schedule'] == 'one_cycle': learn.fit_one_cycle(epochs, lr_max=rate)
    else: learn.fit(epochs, rate)


def _write_run(learn, out, facts, scores, r):
    "Weights as float16, and the record; the checkpoint has served"
    weights = learn.model.state_dict()
    half = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    torch.save(half, out/'weights.pth')
    record = write_record(
        out/'run.json', protocol=PROTOCOL, settings=facts, recipe=r, scores=scores,
        parameters=sum(p.numel() for p in learn.model.parameters()),
        seconds_per_epoch=[round(h['seconds'], 1) for h in learn.checkpoint.history])
    (out/'last.pth').unlink()
    return record


PROTOCOL = (
    'held-out protocol of ISIC 2018; Dice is the mean over images at the size of the network '
    'input, threshold .5, one view, no post-processing; recipe `ours` with the scans exempt '
    'from weight decay')


def test_batches(data, size, protocol):
    "The images that judge (ISIC 2018 heldout: 520, PH2 transfer: 200), and their names"
    ds = open_dataset(data)
    names = parts(ds, protocol).test
    dls = ds.dataloaders(names[:8], names, size=size, bs=8, cache=True, device='cpu')
    return dls.valid, names


def run_variant(
    name:str,             # of `VARIANTS` or `WAKING`
    seed:int,             # of weights, order and augmentation
    data:str,             # folder of ISIC 2018
    out,                  # folder for the record
    *,
    size:tuple=(96, 128), # of the images
    epochs:int=8,         # as in the record of `tiny`
    n_train:int=None,     # a part of the training images, for a shorter study
    woken:str='',         # which of `WAKING` the variant 'woken' is
    test:bool=True,       # look at the test images, too? Once, at the end
    make=make_variant,    # of name, size and `woken`: the network
    recipe:dict=RECIPES['ours'],
    cbs=(),               # further callbacks
) -> dict:                # the record
    "Train one variant and score it; goes on where it was interrupted"
    out = Path(out)
    if (out/'run.json').exists(): return json.loads((out/'run.json').read_text())
    out.mkdir(parents=True, exist_ok=True)
    set_seed(seed)
    way = woken if name == 'woken' else name
    model = make(name, size, woken)
    facts = dict(variant=name, way=way, seed=seed, size=list(size), epochs=epochs, n_train=n_train)
    learn, names = _learner(model, data, out, seed, facts, n_train, recipe)
    learn.add_cbs(cbs)
    _fit(learn, way, epochs, recipe)
    scores = dict(valid=score_role(learn, learn.dls.valid, names, out/'valid.csv'))
    if test:
        batches, ids = test_batches(data, size, 'heldout')
        scores['test'] = score_role(learn, batches, ids, out/'test.csv')
    return _write_run(learn, out, facts, scores, recipe)


def run_queue(
    names,       # variants, in this order
    seeds,       # for each seed, all variants
    data:str,    # folder of ISIC 2018
    out,         # folder; each run has one of its own in it
    **options,   # of `run_variant`
):
    "Train what is not there yet, one after the other; a run that fails is said and passed over"
    for seed in seeds:
        for name in names:
            folder = Path(out)/f'{name}_{seed}'
            try: record = run_variant(name, seed, data, folder, **options)
            except Exception as e:
                print(f'{folder.name}: {type(e).__name__}: {e}', flush=True)
                continue
            print(folder.name, json.dumps(record['scores'].get('valid')), flush=True)


def strips(
    n:int,            # images
    size:tuple,       # (H, W); H a multiple of 4
    g,                # torch.Generator
    far:int=64,       # least distance from the mark to the bar, in pixels
) -> tuple:           # images (n, 3, H, W), masks (n, H, W) of 0 and 1
    "Strips whose bars are lesion or not by a mark at the far end"
    H, W = size
    images, masks = .1*torch.randn(n, 3, H, W, generator=g), torch.zeros(n, H, W)
    red = torch.rand(n, H//4, generator=g) < .5
    start = torch.randint(far, W - 8, (n, H//4), generator=g)
    for i in range(n):
        for k in range(H//4):
            rows, bar = slice(4*k, 4*k + 4), slice(start[i, k], start[i, k] + 6)
            images[i, 0 if red[i, k] else 2, rows, :4] += 1
            images[i, 1, rows, bar] += 1
            masks[i, rows, bar] = red[i, k].float()
    return images, masks


class StripNetwork(nn.Module):
    "Two Cross-Scale Mamba Blocks at full resolution"
    def __init__(self,
        dim:int=16, # channels
    ):
        super().__init__()
        self.stem = nn.Conv2d(3, dim, 1)
        self.blocks = nn.Sequential(CrossScaleMambaBlock(dim), CrossScaleMambaBlock(dim))
        self.head = nn.Conv2d(dim, 1, 1)

    def forward(self, x): # (B, 3, H, W) -> (B, 1, H, W)
        return self.head(self.blocks(self.stem(x)))


def strip_network(
    way:str, # 'released', 'woken', 'skip_only' or 'conv7'
) -> nn.Module:
    "A `StripNetwork` with its scans as they are, louder, silent, or replaced"
    model = StripNetwork()
    if way == 'woken': return louder_BC(longer_steps(model, 10), 5)
    if way == 'skip_only': return _without(model, 'skip_only')
    if way == 'conv7': return swap(model, ConvSS2D)
    if way == 'released': return model
    raise ValueError(f"way={way!r}: choose released, woken, skip_only or conv7")


def train_strips(
    way:str,              # see `strip_network`
    seed:int,             # of weights and images
    *,
    steps:int=800,        # batches of 8 fresh images
    lr:float=1e-2,        # peak of one cycle
    eps:float=1e-8,       # of Adam; torch's default
    size:tuple=(16, 96),  # of the images
) -> float:               # mean Dice over 64 fresh images at threshold .5
    "Train on strips and score"
    torch.manual_seed(seed)
    model, g = strip_network(way), torch.Generator().manual_seed(seed)
    opt = torch.optim.AdamW(model.parameters(), lr, weight_decay=0, eps=eps)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, lr, steps)
    weight = torch.tensor(4.)                              # bars are rare
    for _ in range(steps):
        x, y = strips(8, size, g)
        F.binary_cross_entropy_with_logits(model(x)[:, 0], y, pos_weight=weight).backward()
        opt.step()
        schedule.step()
        opt.zero_grad()
    x, y = strips(64, size, torch.Generator().manual_seed(999))
    with torch.no_grad(): logits = torch.cat([model.eval()(part) for part in x.split(8)])
    return dice_per_image(logits, y.long()).mean().item()


TIMES = (
    'medians of 15 forward passes of one image and of 5 training steps of 8 images (binary '
    'cross-entropy, AdamW) at 96x128, the variants in turns, one thread')


def times(file):
    "Write how long each variant takes"
    torch.set_num_threads(1)
    size, rows, forward, step = (96, 128), {}, {}, {}
    for name in VARIANTS:
        model = make_variant(name, size, TRIAL['woken'])
        rows[name] = dict(variant=name, parameters=sum(p.numel() for p in model.parameters()))
        forward[name] = make_job(model, size)
        step[name] = make_job(model, size, batch=8, step=True)
    for what, jobs, rounds in (('forward_ms', forward, 15), ('step_ms', step, 5)):
        for name, seconds in interleave(jobs, rounds).items():
            rows[name][what] = round(1e3*median(seconds), 2)
    write_record(file, protocol=TIMES, rows=list(rows.values()))


def runs_table(
    folder,           # of run folders, each with run.json
    role:str='valid', # or 'test'
) -> pd.DataFrame:    # a row a run
    "What the runs of a folder gave on some images, with their scans and without"
    rows = []
    for file in sorted(Path(folder).glob('*/run.json')):
        r = json.loads(file.read_text(encoding='utf-8'))
        scores = r['scores'][role]
        settings, heard = r['settings'], file.parent/'shares.json'
        shares = json.loads(heard.read_text(encoding='utf-8')) if heard.exists() else [{}]
        last = [v for k, v in shares[-1].items() if k != 'epoch' and v is not None]
        rows.append(dict(
            variant=settings['variant'], seed=settings['seed'], dice=scores['dice'],
            silenced=scores.get('dice_silenced'), agreement=scores.get('agreement'),
            least_share=min(last, default=None), most_share=max(last, default=None)))
    return pd.DataFrame(rows)


def trial_scores(
    folder,          # of run folders, each with run.json and tables such as test.csv
    role:str='test', # 'valid', 'test' or 'ph2'; a run without that table is left out
) -> pd.DataFrame:   # a row an image, a column a run: (variant, seed); its Dice
    "What every run scored on every image"
    runs = {}
    for file in sorted(Path(folder).glob('*/run.json')):
        s = json.loads(file.read_text(encoding='utf-8'))['settings']
        key, scored = (s['variant'], s['seed']), file.parent/f'{role}.csv'
        if not scored.exists(): continue
        if key in runs: raise ValueError(f'{file}: a second run of {key}')
        runs[key] = pd.read_csv(scored, index_col='image').dice
    table = pd.concat(runs, axis=1)
    if table.isna().any(axis=None):
        raise ValueError(f'{folder}: an image of {role}.csv has no score in some run')
    return table


def trial_table(
    scores,             # of `trial_scores`
    beside:str='full',  # the variant that the others are compared with
) -> pd.DataFrame:      # a row a variant, the best first; Dice in percent
    "Mean Dice of the variants, and their paired differences over images and seeds"
    rows, names = [], scores.columns.unique(0)
    def points(pair, level): return [100*v for v in paired_difference(*pair, level)]
    for variant in names:
        both = [s for s in scores[variant] if s in scores[beside]]
        if len(both) < 2:
            raise ValueError(f'{variant}: needs two seeds or more in common with {beside}')
        pair = [scores[name][both].T.to_numpy() for name in (variant, beside)]
        difference, low, high = points(pair, .95)
        _, low_all, high_all = points(pair, 1 - .05/max(1, len(names) - 1))
        seeds = 100*scores[variant].mean()
        rows.append(dict(
            variant=variant, seeds=len(seeds), dice=seeds.mean(), least=seeds.min(),
            most=seeds.max(), difference=difference, low=low, high=high, low_all=low_all,
            high_all=high_all, apart=100*(scores[variant] - scores[beside])[both[0]].std()))
    return pd.DataFrame(rows).set_index('variant').sort_values('dice', ascending=False)


def write_tables(file, tables): # {name of a table: a `trial_table`}
    "Several tables in one CSV file"
    write_atomic(file, pd.concat(tables, names=['table']).to_csv())


SUMMARY = (
    'trial_table of the runs in equal/: Dice in percent (mean over images of the mean over seeds; '
    'least and most of a seed), difference beside full with its 95% interval over images and '
    'seeds; share: least and most norm of a scan over that of its skip, over cores and seeds after '
    'training; times as in times.json (eps8 is full)')


def summary(folder):
    "Write runs.csv and tables.csv; and summary.json, with times, parameters and shares"
    parts = ('waking', 'valid'), ('equal', 'valid'), ('equal', 'test'), ('eps', 'valid')
    runs = {part: runs_table(folder/part[0], part[1]) for part in parts}
    runs = pd.concat(runs, names=['study', 'role']).droplevel(2)
    write_atomic(folder/'runs.csv', runs.to_csv())
    scores = {role: trial_scores(folder/'equal', role) for role in ('valid', 'test', 'ph2')}
    tables = {role: trial_table(table) for role, table in scores.items()}
    wide = {f'{role} wide': trial_table(table[['full_wide', 'skip_only_wide']], 'full_wide')
            for role, table in scores.items()}
    write_tables(folder/'tables.csv', tables | wide)
    kept = json.loads((folder/'times.json').read_text(encoding='utf-8'))['rows']
    took = {row.pop('variant'): row for row in kept}
    took['eps8'] = took['full']
    shares = runs.loc['equal', 'valid'].groupby('variant')
    least, most = shares.least_share.min().round(4), shares.most_share.max().round(4)
    rows, shown = [], ['dice', 'least', 'most', 'difference', 'low', 'high']
    for name in tables['test'].index:
        of_role = {role: tables[role].loc[name, shown].round(3).to_dict()
                   for role in ('valid', 'test')}
        share = [None if v != v else v for v in (least[name], most[name])]
        rows.append(dict(variant=name, seeds=int(tables['test'].seeds[name]), **took[name],
                         **of_role, share=share))
    write_record(folder/'summary.json', protocol=SUMMARY, rows=rows)


def rows_only(core, u):
    "Two walks along rows by the engine's scan; of those along columns the skips"
    A = -core.A_logs.exp().view(4, 8, -1)
    R, N = core.dt_rank, core.d_state
    total = 2*core.Ds.view(4, 8)[1][:, None, None]*u     # two walks along columns: skips
    for k, flip in ((0, False), (2, True)):
        walk = u.flatten(2).flip(-1) if flip else u.flatten(2)
        dt, B, C = (core.x_proj_weight[k] @ walk).split([R, N, N], 1)
        y = selective_scan(walk, core.dt_projs_weight[k] @ dt, A[k], B, C, core.Ds.view(4, 8)[k],
                           delta_bias=core.dt_projs_bias[k], delta_softplus=True)
        total = total + (y.flip(-1) if flip else y).unflatten(-1, u.shape[2:])
    return total


def check_handles():
    "The scan of the first core is 25 times as loud; steps are 10 times as long; no skip is left"
    net = DermoMamba.preset('tiny').eval()
    x = torch.rand(2, 3, 96, 128, generator=torch.Generator().manual_seed(0)) - .5
    def first(): return list(scan_shares(net, x).values())[0]
    quiet = first()
    louder_BC(net, 5)
    louder = first()
    dt = F.softplus(scan_cores(net)['sweep.mamba1'].dt_projs_bias)
    longer = F.softplus(scan_cores(longer_steps(net, 10))['sweep.mamba1'].dt_projs_bias)
    torch.testing.assert_close(longer, 10*dt, atol=1e-4, rtol=1e-3)
    core = scan_cores(without_skip(net))['sweep.mamba1']
    with use_engine('silent'):
        assert core.scan(torch.ones(1, core.d_inner, 3, 4)).abs().max() == 0
    return quiet, louder


def check_cores():
    "RowsSS2D is two walks and the skips of two more; FixedSS2D is linear and a scan is not"
    core, u, rows, fixed = SS2D(4), torch.randn(1, 8, 5, 6), RowsSS2D(4), FixedSS2D(4)
    rows.load_state_dict(core.state_dict())
    torch.testing.assert_close(rows.scan(u), rows_only(core, u), atol=1e-5, rtol=0)
    fixed.load_state_dict(core.state_dict(), strict=False)
    torch.testing.assert_close(fixed.scan(2*u), 2*fixed.scan(u), atol=1e-4, rtol=0)
    assert (core.scan(2*u) - 2*core.scan(u)).abs().max() > 1e-3
    for name in VARIANTS + WAKING:
        net = make_variant(name, (32, 64), woken='BC5').eval()
        assert net(torch.zeros(1, 3, 32, 64)).shape == (1, 1, 32, 64), name


def check_strips():
    "A bar is lesion where its mark is red; without scans the left edge is not felt at the bars"
    x, y = strips(4, (16, 96), torch.Generator().manual_seed(0))
    assert x.shape == (4, 3, 16, 96) and y.shape == (4, 16, 96)
    red = x[:, 0, ::4, :4].mean(-1) > .5                       # the mark of each strip
    assert (y[:, ::4].amax(-1) > 0).equal(red)
    assert (y.sum((1, 2)) == 24*red.sum(1)).all()              # 4 rows of 6 pixels
    assert y.sum((0, 1)).nonzero().min() >= 64
    net, pixel = strip_network('skip_only').eval(), torch.zeros(1, 3, 16, 96)
    base = net(pixel)
    pixel[0, 0, 8, 0] = 1
    reached = (net(pixel) - base)[0, 0].abs().amax(0).nonzero().max().item()
    assert reached < 64, reached


def invented(**runs): # name_seed -> Dice of each image
    return pd.concat({tuple(k.split('_')): v for k, v in runs.items()}, axis=1)


def dice_of(*dice): return pd.Series(dice, index=list('abc')[:len(dice)])


def refused(words, call, *args):
    try: call(*args)
    except ValueError as e: assert words in str(e), e
    else: raise AssertionError(f'not refused: {words}')


def check_tables():
    "The arithmetic on invented variants; images are matched by name, and none may be missing"
    t = trial_table(invented(full_1=dice_of(.5, .7), full_2=dice_of(.6, .6),
                             other_1=dice_of(.6, .8), other_2=dice_of(.7, .7)))
    shown = ['dice', 'difference', 'low', 'high']
    assert list(t.index) == ['other', 'full']
    np.testing.assert_allclose(t.loc['other', shown].tolist(), [70, 10, 10, 10])
    np.testing.assert_allclose(t.loc['full', shown].tolist(), [60, 0, 0, 0], atol=1e-9)
    three = dice_of(.5, .6, .9)
    turned = invented(full_1=three, full_2=three, turned_1=three[::-1], turned_2=three)
    np.testing.assert_allclose(trial_table(turned).loc['turned', shown[1:]].tolist(), [0]*3,
                               atol=1e-9)
    lone = invented(full_1=three, full_2=three, other_1=three, other_3=three)
    refused('other: needs two seeds', trial_table, lone)
    with TemporaryDirectory() as d:
        for name, seed in dict(x=1, y=1).items():
            (run := Path(d)/name).mkdir()
            (run/'run.json').write_text(json.dumps(dict(settings=dict(variant='v', seed=seed))))
            (run/'test.csv').write_text('image,dice\na,.5\n')
        refused('a second run of', trial_scores, d)
        (run/'run.json').write_text(json.dumps(dict(settings=dict(variant='v', seed=2))))
        assert trial_scores(d).shape == (1, 2)
        for text in ('image,dice\n', 'image,dice\na,nan\n', 'image,dice\nb,.5\n'):
            (run/'test.csv').write_text(text)
            refused('has no score in some run', trial_scores, d)


def check():
    "Every variant is what it claims"
    torch.manual_seed(0)
    check_tables()
    with torch.no_grad():
        quiet, louder = check_handles()
        assert abs(louder/quiet - 25) < 3, (quiet, louder)
        check_cores()
        check_strips()
    print('the variants of the trial are what they claim')


def main(argv):
    what, *rest = argv or ['']
    if what == 'check' and not rest:
        check()
    elif what == 'run' and len(rest) > 2:
        run_queue(rest[2:], SEEDS, rest[0], rest[1], **TRIAL)
    elif what == 'strips' and len(rest) == 1:
        ways = 'released', 'woken', 'skip_only', 'conv7'
        rows = [dict(way=way, seed=seed, dice=train_strips(way, seed))
                for way in ways for seed in SEEDS]
        rows += [dict(way='released, eps 1e-5', seed=seed,
                      dice=train_strips('released', seed, eps=1e-5)) for seed in SEEDS]
        write_record(rest[0], rows=rows)
    elif what == 'times' and len(rest) == 1:
        times(rest[0])
    elif what == 'summary' and len(rest) == 1:
        summary(Path(rest[0]))
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main(sys.argv[1:])
