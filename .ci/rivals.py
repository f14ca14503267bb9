"""Networks that a user would pick instead, untrained and with one logit a pixel, for the benchmark.

    pip install segmentation-models-pytorch monai
    cd .ci
    dermomamba_benchmark paper rivals:tiny rivals:mobilenet rivals:lite0 rivals:segformer \
        rivals:basic rivals:attention rivals:resnet18 --threads 2 --by ms --out ../runs/rivals
"""
from dermomamba.network.dermomamba import DermoMamba

SIZE = 192, 256


def tiny():
    "DermoMamba's small preset, at the size of the others"
    return DermoMamba.preset('tiny', img_size=SIZE)


def mobilenet():
    "U-Net on MobileNetV2"
    from segmentation_models_pytorch import Unet
    return Unet('mobilenet_v2', encoder_weights=None)


def lite0():
    "U-Net on EfficientNet-Lite0"
    from segmentation_models_pytorch import Unet
    return Unet('timm-tf_efficientnet_lite0', encoder_weights=None)


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
