"""Is the mean of several trainings better than each of them? On validation images only.

    python .ci/seeds_mean.py RUN RUN ... --data ISIC2018 --out seeds_mean.json

A mean of probabilities bounds what one network could learn from all of them together
(distillation). Views are the four flips, the threshold is .5, masks are not cleaned.
"""
import argparse
from itertools import combinations

import numpy as np
import pandas as pd

from dermomamba.core import write_record
from dermomamba.data.datasets import open_dataset, parts
from dermomamba.evidence.evaluate import maps_of, score_map
from dermomamba.evidence.inference import ready_model
from dermomamba.evidence.statistics import bootstrap_ci, compare_paired

PROTOCOL = (
    "validation images of the protocol heldout; Dice of each image at its mask's own size, "
    'threshold .5, mean of four flips, no post-processing; mean over images with a 95% bootstrap '
    'interval; the mean of several networks is that of their probabilities')


def choices(n):
    "Every choice of n networks, the single ones first"
    return [some for k in range(1, n + 1) for some in combinations(range(n), k)]


def scores(runs, ds, ids):
    "Choice of networks -> Dice of each image by the mean of their probabilities"
    rows = []
    for found in zip(*(maps_of(ds, ids, ready_model(run, 'cpu'), 'flips') for run in runs)):
        id, _, _, true = found[0]
        p = np.stack([one[1] for one in found])
        means = (p[list(some)].mean(0) for some in choices(len(runs)))
        rows.append([score_map(id, mean, true, postprocess=False, boundary=False)['dice']
                     for mean in means])
    return dict(zip(choices(len(runs)), np.transpose(rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', help='weights, or folders of runs')
    parser.add_argument('--data', required=True)
    parser.add_argument('--out', required=True)
    args = parser.parse_args()
    ds = open_dataset(args.data)
    dice = scores(args.runs, ds, parts(ds).valid)
    rows = []
    for some, values in dice.items():
        beside = compare_paired(values, np.mean([dice[k,] for k in some], axis=0))
        rows.append(dict(runs=[args.runs[k].rpartition('/')[2] for k in some],
                         dice=list(bootstrap_ci(values)),
                         points_over_members=100*beside['mean_difference'],
                         interval=[100*beside['ci_low'], 100*beside['ci_high']]))
    write_record(args.out, protocol=PROTOCOL, n=len(values), rows=rows)
    print(pd.DataFrame(rows).round(4).to_string())


if __name__ == '__main__':
    main()
