"""Four hundred files damaged at random: each is read, or refused with an error of ours.

Images and checkpoints are damaged in every way in turn: bits, numbers in the header, a part cut off
or standing twice, two files in one, and for safetensors lies in the header. "Read" is not
"unharmed": PNG notices a wrong bit, while BMP, safetensors and torch's zip, whose checksums torch
doesn't look at, read another picture or another weight.

    python .ci/damaged_files.py          run by .ci/checks.py; half a minute on two cores
"""
import io
import json
import os
import random
import shutil
import time
import warnings
import zipfile
from collections import Counter
from contextlib import contextmanager

import numpy as np
import torch
from safetensors.torch import save

from bad_inputs import encoded, photo, put, state, weights, work
from dermomamba.core import peak_rss
from dermomamba.data.images import DataError, read_image, read_mask
from dermomamba.evidence.inference import network_input, probabilities
from dermomamba.network.dermomamba import load_model
from dermomamba.network.weights import WeightsError

EXTREME = (b'\xff'*4, bytes(4), b'\x7f' + b'\xff'*3, b'\xff'*3 + b'\x7f', b'\0\0\x40\0',
           b'\0\x40\0\0', b'\x80\0\0\0')


def flip(raw, rng, end=None, bits=(1, 2, 8, 32)):
    "So many bits, in the first `end` bytes"
    a = bytearray(raw)
    for _ in range(rng.choice(bits)):
        a[rng.randrange(min(len(a), end or len(a)))] ^= 1 << rng.randrange(8)
    return bytes(a)


def flip_header(raw, rng): return flip(raw, rng, 200)


def numbers(raw, rng):
    "Four bytes near the start become an extreme number"
    a, extreme = bytearray(raw), rng.choice(EXTREME)
    i = rng.randrange(min(len(a) - 4, 200))
    a[i:i+4] = extreme
    return bytes(a)


def twice(raw, rng):
    i, j = sorted(rng.sample(range(len(raw)), 2))
    return raw[:j] + raw[i:]


def cut(raw, rng): return raw[:rng.randrange(len(raw))]


def same(raw, rng): return raw


def ahead_of(others):
    "The start of one file and the end of another"
    def both(raw, rng):
        other = rng.choice(list(others.values()))
        return cut(raw, rng) + other[rng.randrange(len(other)):]
    return both


def dicom():
    "What hospitals' archives give, or None without pydicom"
    try: import pydicom
    except ImportError: return None
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
    ds, header = pydicom.Dataset(), pydicom.dataset.FileMetaDataset()
    header.TransferSyntaxUID = ExplicitVRLittleEndian
    header.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    header.MediaStorageSOPInstanceUID = '1.2.3'
    ds.file_meta = header
    ds.Rows, ds.Columns, ds.SamplesPerPixel = 64, 96, 3
    ds.PhotometricInterpretation, ds.PlanarConfiguration = 'RGB', 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.PixelData = np.asarray(photo).tobytes()
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def saved(new):
    "A checkpoint as torch.save's zip, or as its older bare pickle"
    out = io.BytesIO()
    torch.save(state, out, _use_new_zipfile_serialization=new)
    return out.getvalue()


FORMATS = dict(png='png', jpg='jpeg', bmp='bmp', tif='tiff', webp='webp', gif='gif')
good = {suffix: encoded(kind) for suffix, kind in FORMATS.items()}
good['tiff'] = encoded('tiff', compression='tiff_lzw')
if raw := dicom(): good['dcm'] = raw
checkpoints = {'safetensors': weights, 'pth': saved(True), 'old pth': saved(False)}
n_header = int.from_bytes(weights[:8], 'little')
header, body = json.loads(weights[8:8+n_header]), weights[8+n_header:]


def lie(key, values):
    "A wrong entry in the header of a safetensors file"
    def damage(raw, rng):
        h = json.loads(json.dumps(header))
        name = rng.choice([k for k in h if k != '__metadata__'])
        h[name][key] = rng.choice(values(h[name][key]))
        text = json.dumps(h).encode()
        return len(text).to_bytes(8, 'little') + text + body
    return damage


TYPES = ['F64', 'F16', 'BF16', 'I32', 'I64', 'BOOL', 'F8_E4M3', 'C64', 'F4', 'XX', None, 7]


def types(_): return TYPES


def shapes(s): return [s[::-1], [*s, 1], [], [0], [2**40], [2**32, 2**32], [-1], 'x', None]


def offsets(o):
    a, b = o
    return [[b, a], [a, b + 4], [a - 4, b], [0, 2**62], [2**63, 2**64], [], None]


def length(raw, rng):
    n = n_header
    claimed = rng.choice((0, 1, n - 1, n + 1, 2**31, 2**40, 2**63, 2**64 - 1))
    return claimed.to_bytes(8, 'little') + weights[8:]


TELLING = ('stem.weight', 'encoder.0.widen.weight', 'encoder.4.widen.weight',
           'sweep.mamba2.in_proj.weight', 'sweep.mamba3.in_proj.weight')
CLAIMS = (), (1,), (0, 1), (1, 0), (8, 1), (1, 8), (4, 3), (100_000, 1), (1, 100_000)


def claim(raw, rng):
    "A whole file in which one tensor's shape tells of a network of another size"
    return save(state | {rng.choice(TELLING): torch.zeros(rng.choice(CLAIMS))})


def no_number(raw, rng):
    "Not a number, infinity, or the largest float32"
    i = 8 + n_header + 4*rng.randrange(len(body)//4 - 1)
    value = rng.choice((b'\0\0\xc0\x7f', b'\0\0\x80\x7f', b'\xff\xff\x7f\x7f'))
    return weights[:i] + value + weights[i+4:]


COMMON = {'bits': flip, 'bits of the header': flip_header, 'numbers': numbers, 'cut': cut,
          'a part twice': twice}
IMAGE = COMMON | {'two files': ahead_of(good), 'wrong suffix': same}
LIES = {'length': length, 'type': lie('dtype', types), 'claim': claim, 'no number': no_number,
        'shape': lie('shape', shapes), 'offset': lie('data_offsets', offsets)}
WEIGHTS = LIES | COMMON | {'two checkpoints': ahead_of(checkpoints)}


def watched(read, own):
    "How a file ended, seconds, and bytes of memory that it took at the most"
    peak_rss(reset=True)
    start, before = time.perf_counter(), peak_rss() or 0
    try: end = read()
    except own as e:
        assert '\n' not in str(e), e
        end = 'refused'
    return end, time.perf_counter() - start, (peak_rss() or 0) - before


def read_photo(path, intact):
    x, size, _ = network_input(path, (32, 64))
    image = np.asarray(read_image(path))
    assert x.shape == (3, 32, 64) and x.dtype == torch.uint8 and image.shape == (*size, 3)
    try: assert set(np.unique(np.asarray(read_mask(path)))) <= {0, 1}
    except DataError: pass
    return 'as it was' if image.shape == intact.shape and (image == intact).all() else 'different'


def read_net(path):
    net = load_model(path)
    p = probabilities(net, torch.zeros(1, 3, *net.img_size, dtype=torch.uint8))
    assert p.shape == (1, 1, 32, 64) and p.isfinite().all() and p.min() >= 0 and p.max() <= 1
    got = net.state_dict()
    return 'as it was' if all(torch.equal(got[k], state[k]) for k in state) else 'different'


@contextmanager
def hushed():
    "The library behind TIFF complains on the error channel of the process, under Python's feet"
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try: yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def image_ends(kind, raw, original, suffix=None):
    path = work/f'damaged.{suffix or kind}'
    path.write_bytes(raw)
    return watched(lambda: read_photo(path, original[kind]), DataError)


def weights_ends(raw):
    path = work/'damaged.weights'
    path.write_bytes(raw)
    return watched(lambda: read_net(path), WeightsError)


def fuzz_images(original, n=280, seed=0):
    rng, found = random.Random(seed), []
    for i in range(n):
        kind, how = rng.choice(list(good)), list(IMAGE)[i % len(IMAGE)]
        suffix = rng.choice(list(good)) if how == 'wrong suffix' else kind
        found.append((how, *image_ends(kind, IMAGE[how](good[kind], rng), original, suffix)))
    return found


def fuzz_weights(n=120, seed=0):
    rng, found = random.Random(seed), []
    for i in range(n):
        how = list(WEIGHTS)[i % len(WEIGHTS)]
        kind = 'safetensors' if how in LIES else rng.choice(list(checkpoints))
        found.append((how, *weights_ends(WEIGHTS[how](checkpoints[kind], rng))))
    return found


def one_bit(original, seed=1):
    "kind -> how often one wrong bit was refused, and how often it was read as something else"
    rng, shares = random.Random(seed), {}
    for kind, raw in (good | checkpoints).items():
        def ends():
            changed = flip(raw, rng, bits=(1,))
            if kind in good: return image_ends(kind, changed, original)[0]
            return weights_ends(changed)[0]
        n = 60 if kind in good else 24
        count = Counter(ends() for _ in range(n))
        shares[kind] = count['refused']/n, count['different']/n
    return shares


def zip_tells():
    "torch reads a wrong weight from its zip; Python's zipfile looks at the checksum"
    raw = checkpoints['pth']
    i = raw.index(body[header['head.weight']['data_offsets'][0]:][:16])
    (work/'bit.pth').write_bytes(raw[:i] + bytes([raw[i] ^ 64]) + raw[i+1:])
    assert not torch.equal(load_model(work/'bit.pth').head.weight, state['head.weight'])
    assert zipfile.ZipFile(work/'bit.pth').testzip()


def main():
    warnings.filterwarnings('ignore', category=UserWarning)  # Pillow's, about the damaged files
    try:
        for kind, raw in good.items(): put(f'good.{kind}', raw)
        original = {kind: np.asarray(read_image(work/f'good.{kind}')) for kind in good}
        with hushed():
            images, nets = fuzz_images(original), fuzz_weights()
            shares = one_bit(original)
        zip_tells()
    finally: shutil.rmtree(work)
    found = images + nets
    assert len(found) == 400 and {how for how, *_ in found} == {*IMAGE, *WEIGHTS}
    ends = Counter(end for _, end, *_ in found)
    assert set(ends) == {'refused', 'as it was', 'different'}, ends
    slowest, most = max(f[2] for f in found), max(f[3] for f in found)
    assert most < 1e9 and slowest < 60, (most, slowest)  # no header talked us into its claims
    assert shares['png'][0] > .9 and shares['bmp'][1] > .8, shares  # PNG has checksums, BMP none
    assert shares['safetensors'][1] > .3 and shares['pth'][1] > .1, shares
    print(f'{len(found)} damaged files: {dict(ends)}; slowest {slowest:.2f} s, '
          f'most memory {most/1e6:.0f} MB')


if __name__ == '__main__': main()
