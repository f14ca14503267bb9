"""Store the PNG figures of all notebooks with a palette, which is a third of the bytes and looks the same; run by `make export`."""
import base64, io
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image

root = Path(__file__).resolve().parent.parent


def shrink(data):
    "A PNG with a palette, if that is smaller"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    if image.mode == 'P': return data
    page = Image.new('RGB', image.size, 'white') # figures may be transparent; their page is white
    page.paste(image, mask=image.getchannel('A') if image.mode == 'RGBA' else None)
    for colours in (64, 128, 256): # no more than are needed to stay close to the original
        few, out = page.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE), io.BytesIO()
        if np.quantile(np.abs(np.subtract(few.convert('RGB'), page, dtype=float)), .999) < 16: break
    else: return data # a photograph
    few.save(out, 'png', optimize=True)
    small = base64.b64encode(out.getvalue()).decode()
    return small if len(small) < len(data) else data


def main():
    for path in sorted((root/'nbs').glob('*.ipynb')):
        nb, before = nbformat.read(path, 4), path.stat().st_size
        for c in nb.cells:
            for o in c.get('outputs', []):
                if 'image/png' in o.get('data', {}): o['data']['image/png'] = shrink(o['data']['image/png'])
        nbformat.write(nb, path)
        if path.stat().st_size < before: print(f'{path.name}: {before >> 10} to {path.stat().st_size >> 10} KB')


if __name__ == '__main__': main()
