"""What each part of the recipe is worth: `ours` with one thing changed, three seeds each.

The records are in data/results/recipe and are read in nbs/4_training/4_recipe.ipynb. The network is
`tiny`; images, order and epochs are those of scan_trial.py, whose variant `full` is `ours`. Scores
are of the 207 validation images: a search may not look at those that judge.

    recipe_trial.py ISIC2018 OUT              # all of them, by seeds; it goes on where it stopped
    recipe_trial.py ISIC2018 OUT plateau      # or some; `taught` needs the teacher of distil.py
    recipe_trial.py summary data/results      # recipe/summary.json from recipe/ and scans/equal/
"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from dermomamba.core import write_record
from dermomamba.evidence.statistics import paired_difference
from dermomamba.training.guide_fusion_loss import BCEDiceLoss
from dermomamba.training.recipe import LOSSES, RECIPES
from distil import Distil
from scan_trial import SEEDS, TRIAL, make_variant, run_queue

CHANGES = {
    'lr_half': dict(lr=1e-3),
    'lr_double': dict(lr=4e-3),
    'augment_none': dict(augment='none'),
    'augment_full': dict(augment='full'),
    'ema_none': dict(ema=0.),
    'loss_bce_dice': dict(loss='bce_dice'),
    'loss_released': dict(loss='released'),
    'loss_tversky': dict(loss='tversky'),
    'bs_4': dict(bs=4),
    'wd_none': dict(wd=0.),
    'clip_none': dict(clip=0.),
    'plateau': dict(schedule='plateau'),
    'plateau_1e-4': dict(schedule='plateau', lr=1e-4),
    'taught': {},       # by the network of distil.py
}


class TverskyLoss(BCEDiceLoss):
    "Tversky loss per image, as in nbs/4_training/1_guide_fusion_loss.ipynb"
    def per_image(self, z, t):
        p = z.sigmoid()
        def total(a):
            return a.sum((1, 2, 3))
        tp, fp, fn = total(p * t), total(p * (1 - t)), total((1 - p) * t)
        return 1 - (tp + 1) / (tp + .3 * fp + .7 * fn + 1)


LOSSES['tversky'] = TverskyLoss


def tiny(name, *rest):
    "The network is the same for all"
    return make_variant('full', *rest)


PROTOCOL = (
    'tiny, 5 epochs of 640 images of ISIC 2018 at 96x128; Dice, precision and recall in percent, '
    'mean over the 207 validation images of the mean over seeds, threshold .5, one view; least and '
    'most of a seed; difference beside the same seeds of ours, with its 95% interval over images '
    'and seeds where there are two seeds or more')


def row_of(name, runs, ours):
    "What one change did"
    seeds = sorted(runs)
    means = {k: 100*np.mean([runs[s][k].mean() for s in seeds])
             for k in ('dice', 'precision', 'recall')}
    own, other = ([100*x[s].dice for s in seeds] for x in (runs, ours))
    dices = [x.mean() for x in own]
    found = dict(**means, least=min(dices), most=max(dices),
                 difference=means['dice'] - np.mean(other))
    if len(seeds) > 1 and name != 'ours':
        _, found['low'], found['high'] = paired_difference(np.stack(own), np.stack(other))
    found = {k: round(float(v), 3) for k, v in found.items()}
    return dict(variant=name, change=CHANGES.get(name, {}), seeds=len(seeds), **found)


def summary(results):
    "Write summary.json: what each change did"
    runs = {}
    for folder, files in ((results/'scans'/'equal', 'full_?'), (results/'recipe', '*_?')):
        for file in sorted(folder.glob(f'{files}/valid.csv')):
            name, _, seed = file.parent.name.rpartition('_')
            runs.setdefault(name, {})[int(seed)] = pd.read_csv(file).set_index('image')
    runs = dict(ours=runs.pop('full')) | runs
    rows = [row_of(name, of_seeds, runs['ours']) for name, of_seeds in runs.items()]
    rows.sort(key=lambda row: -row['difference'])
    write_record(results/'recipe'/'summary.json', protocol=PROTOCOL, recipe=RECIPES['ours'],
                 rows=rows)


def main(argv):
    if argv[:1] == ['summary'] and len(argv) == 2: return summary(Path(argv[1]))
    if len(argv) < 2 or set(argv[2:]) - set(CHANGES): sys.exit(__doc__)
    data, out, *names = argv
    for seed in SEEDS:
        for name in names or CHANGES:
            cbs = [Distil(Path(out)/'teacher'/'weights.pth')] if name == 'taught' else []
            run_queue([name], [seed], data, out, make=tiny, test=False, cbs=cbs,
                      recipe=RECIPES['ours'] | CHANGES[name], **TRIAL)


if __name__ == '__main__': main(sys.argv[1:])
