"""Store the figures of all notebooks in fewer bytes that look the same; run by `make export`.

Figures become PNGs with a palette, a third of the bytes, where 256 colours are enough. In a notebook that is
still large, the largest photographs become JPEGs.
"""
import base64, io
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
    if Image.open(io.BytesIO(png)).mode == 'P': return png
    page = on_white(png)
    for colours in (64, 128, 256):
        few, out = page.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE), io.BytesIO()
        if np.quantile(np.abs(np.subtract(few.convert('RGB'), page, dtype=float)), .999) < 16:
            few.save(out, 'png', optimize=True)
            return min(png, out.getvalue(), key=len)
    return png


def as_jpeg(png):
    out = io.BytesIO()
    on_white(png).save(out, 'jpeg', quality=75)
    return out.getvalue()


def main():
    paths = [p for p in sorted((root/'nbs').rglob('*.ipynb')) if '.ipynb_checkpoints' not in p.parts]
    if not paths: raise SystemExit('nbs: no notebooks there; this script looks in the wrong place')
    for path in paths:
        nb, before = nbformat.read(path, 4), path.stat().st_size
        found = [o['data'] for c in nb.cells for o in c.get('outputs', []) if 'image/png' in o.get('data', {})]
        for data in found: data['image/png'] = base64.b64encode(with_palette(base64.b64decode(data['image/png']))).decode()
        for data in sorted(found, key=lambda d: -len(d['image/png'])):
            if len(nbformat.writes(nb)) < LARGE: break
            jpeg = base64.b64encode(as_jpeg(base64.b64decode(data['image/png']))).decode()
            if len(jpeg) < .7*len(data['image/png']):
                del data['image/png']
                data['image/jpeg'] = jpeg
        nbformat.write(nb, path)
        if path.stat().st_size < before: print(f'{path.name}: {before >> 10} to {path.stat().st_size >> 10} KB')


if __name__ == '__main__': main()
