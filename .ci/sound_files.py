"""Six hundred sound pictures, of every kind that Pillow can write: each is read, and read upright.

Ten formats and a camera's, fifteen modes, any small size, and one of ten orientations, of which two
do not exist. Each picture is saved with and without the note on its orientation. Both answers on
the size agree, the pixels with the note are those without, turned, and nothing but our own error
comes through.

    python .ci/sound_files.py            run by .ci/checks.py; seconds
"""
import random
import tempfile
import warnings
from pathlib import Path

import numpy as np
from fastcore.test import test_eq
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dermomamba.data.formats import header
from dermomamba.data.images import read_image, read_mask

MODES = '1 L LA P PA RGB RGBA RGBX CMYK YCbCr LAB HSV I I;16 F'.split()
NUMBERS = {'I': np.int32, 'I;16': np.uint16, 'F': np.float32}
WRITERS = 'PNG JPEG TIFF BMP DIB WEBP GIF AVIF JPEG2000 PPM MPO'.split()
CAN_TURN = 'PNG', 'JPEG', 'TIFF', 'WEBP', 'AVIF', 'MPO'
TURNS = {2: 'FLIP_LEFT_RIGHT', 3: 'ROTATE_180', 4: 'FLIP_TOP_BOTTOM', 5: 'TRANSPOSE',
         6: 'ROTATE_270', 7: 'TRANSVERSE', 8: 'ROTATE_90'}


def any_picture(rng):
    mode = rng.choice(MODES)
    shape = rng.randrange(1, 40), rng.randrange(1, 40)
    noise = np.random.default_rng(rng.randrange(10**6))
    if mode in NUMBERS:
        high = rng.choice((1, 255, 1023, 4095, 65535, 10**6 if mode == 'I' else 300))
        return Image.fromarray((noise.random(shape)*high).astype(NUMBERS[mode]))
    rgba = Image.fromarray(noise.integers(0, 256, (*shape, 4)).astype(np.uint8))
    if mode == 'LAB': return Image.frombytes('LAB', rgba.size, rgba.convert('RGB').tobytes())
    rgb = rgba.convert('RGB')
    if mode not in ('P', 'PA'): return (rgb if mode in ('YCbCr', 'HSV') else rgba).convert(mode)
    palette = rgb.quantize(rng.choice((2, 4, 16, 256)))
    if rng.random() < .3: palette.info['transparency'] = rng.choice((0, 1, bytes([0, 128])))
    return palette.convert(mode)


def any_way(kind, im, rng):
    "Options of `save`"
    squeezed = ('tiff_lzw', 'jpeg') if im.mode in ('L', 'RGB') else ('tiff_lzw', 'packbits')
    how = dict(PNG=dict(bits=8) if im.mode == 'P' and rng.random() < .5 else {},
               TIFF=dict(compression=rng.choice(squeezed)) if rng.random() < .7 else {},
               WEBP=dict(lossless=rng.random() < .5)).get(kind, {})
    if kind == 'PNG':
        how['pnginfo'] = PngInfo()
        how['pnginfo'].add(b'gAMA', (45455).to_bytes(4, 'big'))
        if im.mode == 'L' and rng.random() < .5: how['transparency'] = rng.choice((0, 255))
    return how


def note(k):
    exif = Image.Exif()
    exif[0x0112] = k
    return exif


def any_file(rng, work):
    "Path without note, with it, orientation; None where Pillow cannot write or read that"
    kind = rng.choice(WRITERS)
    im, k = any_picture(rng), rng.randrange(10)
    how = any_way(kind, im, rng)
    if 'compression' in how: k = max(1, k % 9)  # libtiff writes no other
    noted = dict(exif=note(k)) if kind in CAN_TURN else {}
    try:
        for name, more in dict(plain={}, noted=noted).items():
            im.save(work/f'{name}.x', kind, **how, **more)
            Image.open(work/f'{name}.x').load()  # some Pillows can't read all that they wrote
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SystemError):
        return None
    return work/'plain.x', work/'noted.x', k if noted else 1


def tried(read_it, path):
    "What it returns, or None where it refuses"
    try: return read_it(path)
    except ValueError as e: assert str(path) in str(e) and 'cannot be read' not in str(e), e


def turned(im, k):
    "As an orientation of k asks; 0 and 9 mean nothing"
    return im.transpose(Image.Transpose[TURNS[k]]) if k in TURNS else im


def read_some(work, n=600):
    "How many of so many files were read, and refused"
    warnings.filterwarnings('ignore', category=UserWarning)  # Pillow's, about odd pictures
    rng, count = random.Random(0), dict(read=0, refused=0, masks=0)
    while count['read'] + count['refused'] < n:
        found = any_file(rng, work)
        if not found: continue
        bare, noted, k = found
        x, told = tried(read_image, noted), tried(header, noted)
        size = told and told[0]
        if x:
            test_eq(x.size[::-1], size)
            test_eq(np.asarray(x), np.asarray(turned(read_image(bare), k)))
        if m := tried(read_mask, noted): test_eq(m.size[::-1], size)
        count['read' if x else 'refused'] += 1
        count['masks'] += m is not None
    return count


def main():
    with tempfile.TemporaryDirectory() as folder: count = read_some(Path(folder))
    print(f'600 sound files: {count}')
    assert count['read'] > 500


if __name__ == '__main__': main()
