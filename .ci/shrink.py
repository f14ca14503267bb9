"""Store the figures of notebooks in fewer bytes that look the same; run by `make export`.

    shrink.py               all notebooks
    shrink.py NOTEBOOK...   these

Figures become PNGs with a palette, a third of the bytes, where 256 colours are enough. In a
notebook that is still large, the largest photographs become JPEGs.
"""
import base64, io, sys
from pathlib import Path

import nbformat, numpy as np
from PIL import Image

root, LARGE = Path(__file__).resolve().parent.parent, 280_000


def on_white(png):
    "An RGB picture; figures may be transparent"
    image = Image.open(io.BytesIO(png))
    page = Image.new('RGB', image.size, 'white')
    page.paste(image.convert('RGB'), mask=image.getchannel('A') if image.mode == 'RGBA' else None)
    return page


def with_palette(png):
    "A PNG with no more colours than are needed to stay close to the picture, or the same one"
    if Image.open(io.BytesIO(png)).mode == 'P':
        return png
    page = on_white(png)
    kind = dict(method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    for colours in (64, 128, 256):
        few = page.quantize(colours, **kind)
        off = np.abs(np.subtract(few.convert('RGB'), page, dtype=float))
        if np.quantile(off, .999) < 16:
            out = io.BytesIO()
            few.save(out, 'png', optimize=True)
            return min(png, out.getvalue(), key=len)
    return png


def as_jpeg(png):
    out = io.BytesIO()
    on_white(png).save(out, 'jpeg', quality=75)
    return out.getvalue()


def shrink_pngs(nb):
    "Every figure with a palette; the data of all that are PNGs"
    outputs = [o.get('data', {}) for c in nb.cells for o in c.get('outputs', [])]
    found = [data for data in outputs if 'image/png' in data]
    for data in found:
        png = base64.b64decode(data['image/png'])
        data['image/png'] = base64.b64encode(with_palette(png)).decode()
    return found


def some_as_jpeg(nb, found):
    "The largest first, until the notebook is no longer large"
    for data in sorted(found, key=lambda d: -len(d['image/png'])):
        if len(nbformat.writes(nb)) < LARGE:
            return
        jpeg = base64.b64encode(as_jpeg(base64.b64decode(data['image/png']))).decode()
        if len(jpeg) < .7*len(data['image/png']):
            del data['image/png']
            data['image/jpeg'] = jpeg


def main():
    given = [Path(p) for p in sys.argv[1:]]
    every = given or sorted((root/'nbs').rglob('*.ipynb'))
    paths = [p for p in every if '.ipynb_checkpoints' not in p.parts]
    if not paths:
        sys.exit('nbs: no notebooks there; this script looks in the wrong place')
    for path in paths:
        nb, before = nbformat.read(path, 4), path.stat().st_size
        some_as_jpeg(nb, shrink_pngs(nb))
        nbformat.write(nb, path)
        after = path.stat().st_size
        if after < before:
            print(f'{path.name}: {before >> 10} to {after >> 10} KB')


if __name__ == '__main__':
    main()
