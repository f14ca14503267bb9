"""Weights for larger images, from weights for smaller ones: a start for progressive resizing.

    larger.py check                            # is it what it claims? seconds
    larger.py tiny OUT.safetensors             # 192x256, what depends on the grid resampled
    larger.py tiny OUT.safetensors anew        # or begun anew, with the seed of the recipe
    dermomamba_train --data ISIC2018 --preset tiny --size 192 256 --init OUT.safetensors \
        --epochs 4 --lr 1e-3 --out runs/larger # and go on from there

All weights but those of two scans fit any size. SweepMamba scans two planes whose channels are the
rows and the columns of the deepest map, so a map of 6x8 needs twice the channels of one of 3x4.
Resampled: each channel stands twice, and what sums over channels sums halves. A map whose channels
stand twice then gives what the map with each of them once gave.
"""
import sys

import torch
from fastai.torch_core import set_seed

from dermomamba.network.dermomamba import DermoMamba, load_model, save_model
from dermomamba.scan.ss2d import SS2D

SIZE, SEED = (192, 256), 42
PLANES = 'sweep.mamba2', 'sweep.mamba3'    # whose channels are rows and columns


def widened(
    old:SS2D, # trained
    new:SS2D, # of k times the channels
) -> dict:    # the state dict of `new`: each channel k times
    "Weights for k copies of each channel"
    k, d, N = new.d_inner//old.d_inner, old.d_inner, old.d_state
    assert (new.d_inner, new.dt_rank) == (k*d, old.dt_rank)
    sd = old.state_dict()
    def copies(x, dim): return x.repeat_interleave(k, dim)
    found = {name: copies(sd[name], 0) for name in sd if name.startswith(('conv2d', 'out_norm'))}
    for name in ('in_proj.weight', 'out_proj.weight'):
        found[name] = copies(copies(sd[name], 0), 1)/k
    return found | dict(
        x_proj_weight=copies(sd['x_proj_weight'], 2)/k,
        dt_projs_weight=copies(sd['dt_projs_weight'], 1),
        dt_projs_bias=copies(sd['dt_projs_bias'], 1),
        A_logs=copies(sd['A_logs'].view(4, d, N), 1).flatten(0, 1),
        Ds=copies(sd['Ds'].view(4, d), 1).flatten())


def larger(
    name:str,         # weights, see `load_model`
    how='resampled',  # or 'anew'
) -> DermoMamba:      # for images of `SIZE`
    "A network for larger images that begins where a trained one ended"
    old = load_model(name)
    set_seed(SEED)
    new = DermoMamba(SIZE, old.in_channels, old.widths).eval()
    fits = {k: v for k, v in old.state_dict().items() if not k.startswith(PLANES)}
    new.load_state_dict(fits, strict=False)
    for plane in PLANES if how == 'resampled' else ():
        theirs, ours = (net.get_submodule(plane) for net in (old, new))
        ours.load_state_dict(widened(theirs, ours))
    return new


@torch.no_grad()
def check(name):
    "Channels that stand twice give what they gave once"
    old, new = load_model(name), larger(name)
    for plane in PLANES:
        theirs, ours = (net.get_submodule(plane) for net in (old, new))
        x = torch.randn(1, 5, 7, theirs.in_proj.in_features)
        want, got = theirs(x).repeat_interleave(2, -1), ours(x.repeat_interleave(2, -1))
        assert (got - want).abs().max() < 1e-4*want.abs().max(), plane


def main(argv):
    if argv == ['check']: return check('tiny')
    if len(argv) not in (2, 3) or argv[2:] not in ([], ['anew']): sys.exit(__doc__)
    name, out, *how = argv
    how = how[0] if how else 'resampled'
    save_model(larger(name, how), out, begun=f'{name}, {how}')


if __name__ == '__main__': main(sys.argv[1:])
