"""Draw nbs/images/overview.png, the picture on the cover; run by hand when it is to change.

Two synthetic lesions, on light and on dark skin, picked because they show well, and what a network
trained on photographs (ISIC 2018) makes of them. The second column is the design: a map is read
along four walks. The third is the gradient of one output pixel. It does not come from the walks:
silence the scans and it hardly changes. The script measures that before it draws.

    cover.py [FILE.png]     default: nbs/images/overview.png
"""
import sys
from pathlib import Path

import matplotlib
matplotlib.use('agg')
import matplotlib.pyplot as plt, numpy as np, torch
from scipy.ndimage import gaussian_filter

from dermomamba.data.phantom import make_phantom
from dermomamba.evidence.inference import network_input, normalise
from dermomamba.network.dermomamba import DermoMamba
from dermomamba.scan.engines import use_engine
from dermomamba.use.predict import segment

PICTURE = Path(__file__).resolve().parent.parent/'nbs'/'images'/'overview.png'
SEEDS, PIXEL = (1_000_322, 1_000_306), (48, 52)
TITLES = 'a lesion', 'four walks', 'what one pixel asks', 'probability', 'the outline'


def show(ax, image, **kw):
    "Every map is drawn over the same frame"
    ax.imshow(image, extent=(0, 256, 192, 0), interpolation='bilinear', **kw)
    ax.axis('off')


def zigzag(k, w=100, h=68, lines=4):
    "The corners of walk k: rows, columns, and both reversed"
    across, along = np.repeat(np.linspace(0, 1, lines), 2), np.tile([0, 1], lines)
    x, y = (along*w, across*h) if k % 2 == 0 else (across*w, along*h)
    return (x, y) if k < 2 else (x[::-1], y[::-1])


def draw_walks(ax, image):
    "The four walks, one in each quarter of the picture"
    show(ax, image, alpha=.4)
    looks = dict(arrowstyle='-|>', lw=2.2, mutation_scale=18, shrinkA=0, shrinkB=0)
    for k, (left, top) in enumerate(((14, 14), (142, 14), (14, 110), (142, 110))):
        x, y = zigzag(k)
        x, y, color = x + left, y + top, f'C{k}'
        ax.plot(x, y, color=color, lw=2.2)
        ax.annotate('', (x[-1], y[-1]), (x[-2], y[-2]), arrowprops=dict(looks, color=color))


def as_input(model, image):
    return normalise(network_input(image, model.img_size)[0][None])  # (1, 3, H, W)


def asks(model, image):
    "What moves the answer for PIXEL: size of the gradient (H, W); all probabilities (H, W)"
    x = as_input(model, image).requires_grad_()
    z = model(x)[0, 0]
    g, = torch.autograd.grad(z[PIXEL], x)
    return g.abs().sum((0, 1)), z.sigmoid().detach()


def glow(g):
    "Smoothed by a pixel, as gradients are noisy, and as a logarithm, as it spans powers of ten"
    g = gaussian_filter(g.numpy(), 1)
    return np.log10(g/g.max() + 1e-4).clip(-2.5, 0)


def draw_asks(ax, g):
    show(ax, glow(g), vmin=-2.5, vmax=0)
    ax.plot(2*PIXEL[1] + 1, 2*PIXEL[0] + 1, 'o', mfc='none', mec='w', mew=2, ms=10)


def draw_outline(ax, image, truth, model):
    "The true outline in white, the predicted one in yellow"
    show(ax, image)
    ax.contour(truth, [.5], colors='w', linewidths=2.5)
    ax.contour(segment(image, model=model), [.5], colors='C4', linewidths=2.5)


def true_slope(model, image, g, eps=.003):
    "How far the answer moves when the image changes where the gradient is largest"
    k, l = divmod(g.argmax().item(), g.shape[1])
    x, total = as_input(model, image), 0.
    for colour in range(3):
        d = torch.zeros_like(x)
        d[0, colour, k, l] = eps
        with torch.no_grad(): up, down = model(x + d)[0, 0][PIXEL], model(x - d)[0, 0][PIXEL]
        total += abs(up - down).item()/(2*eps)
    return total


def check(model, image):
    "The gradient tells the truth, it is nowhere zero, and it owes next to nothing to the scans"
    g, _ = asks(model, image)
    slope, most = true_slope(model, image, g), g.max().item()
    print(f'by changing the image {slope:.4f}, by the gradient {most:.4f}')
    assert abs(slope - most) < 2e-2*slope
    assert (g > 0).all()
    with use_engine('silent'): quiet, _ = asks(model, image)
    alike = np.corrcoef(glow(g).ravel(), glow(quiet).ravel())[0, 1]
    print(f'scans silenced: the drawn maps correlate by {alike:.3f}')
    assert alike > .9


def draw(model, lesions):
    "The picture: a row for each lesion"
    space = dict(wspace=.03, hspace=.04, left=0, right=1, top=.92, bottom=0)
    fig, axes = plt.subplots(2, 5, figsize=(12, 4.1), gridspec_kw=space, layout='none')
    for row, (image, truth) in zip(axes, lesions):
        g, p = asks(model, image)
        show(row[0], image)
        draw_walks(row[1], image)
        draw_asks(row[2], g)
        show(row[3], p, vmin=0, vmax=1)
        draw_outline(row[4], image, truth, model)
    for ax, title in zip(axes[0], TITLES): ax.set_title(title, fontsize=15)
    return fig


def main():
    plt.style.use('dermomamba.book')
    model = DermoMamba.from_pretrained('isic2018').eval()
    lesions = [make_phantom(seed, size=(192, 256)) for seed in SEEDS]
    for image, _ in lesions: check(model, image)
    draw(model, lesions).savefig(sys.argv[1] if len(sys.argv) > 1 else PICTURE, dpi=80)


if __name__ == '__main__': main()
