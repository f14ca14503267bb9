"""What a user sees when something is wrong: bad inputs for every command.

A row of a table says what is given, as which arguments, with which exit code the command must end,
what its one line must hold, and which files may be there afterwards that were not there before.
No row may end in a traceback, change a file that was there, or leave anything half-written.

    python .ci/bad_inputs.py          run by .ci/checks.py; about a minute on two cores
"""
import ast
import hashlib
import importlib
import io
import os
import pickle
import shutil
import struct
import sys
import tempfile
import warnings
import zipfile
import zlib
from collections import Counter
from configparser import ConfigParser
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from fastcore.test import test_eq, test_fail
from PIL import Image, ImageFilter
from safetensors.torch import save, save_file

from dermomamba.data.datasets import ISIC2018
from dermomamba.data.phantom import make_phantom
from dermomamba.network.dermomamba import DermoMamba, load_model, save_model
from dermomamba.network.weights import WeightsError
from dermomamba.use.one_image import read_upload

root = Path(__file__).resolve().parent.parent
work = Path(tempfile.mkdtemp())
total = Counter()

usual = dict(
    predict='--weights w.safetensors --images lesion.png --out o --device cpu',
    train='--data set --size 32 64 --preset tiny --epochs 1 --bs 4 --device cpu --out o',
    evaluate='--weights w.safetensors --data set --no-boundary --device cpu --out o',
    benchmark='w.safetensors --size 32 64 --device cpu --rounds 1 --no-step --no-memory --out o',
    doctor='', app='--no-browser')


def main_of(name):
    "The function behind a command, from settings.ini"
    settings = ConfigParser(interpolation=None)
    settings.read(root/'settings.ini', encoding='utf-8')
    lines = settings['DEFAULT']['console_scripts'].splitlines()
    commands = dict(line.strip().split('=') for line in lines)
    module, function = commands[f'dermomamba_{name}'].split(':')
    return getattr(importlib.import_module(module), function)


def phantom(seed, size=(64, 96)):
    return tuple(Image.fromarray(np.asarray(x)) for x in make_phantom(seed, size=size))


photo, mask = phantom(1)


def checksum(path):
    if not path.is_file() or not os.access(path, os.R_OK): return 'folder'
    return hashlib.sha256(path.read_bytes()).hexdigest()


def snapshot(): return {p.relative_to(work).as_posix(): checksum(p) for p in work.rglob('*')}


@contextmanager
def inside(folder):
    "As a user would, in the folder of the bad files"
    here = os.getcwd()
    os.chdir(folder)
    try: yield
    finally: os.chdir(here)


def called(command, argv):
    "Exit code; argparse ends a wrong call itself"
    try: return main_of(command)(argv)
    except SystemExit as e:
        if isinstance(e.code, int): return e.code
        print(e.code, file=sys.stderr)
        return 1


def run(command, arguments, under=None):
    "Exit code, lines printed, lines of errors, files that are new, files that changed or went"
    before, out, err = snapshot(), io.StringIO(), io.StringIO()
    words = arguments[1:] if arguments.startswith('!') else f'{usual[command]} {arguments}'
    with inside(work), redirect_stdout(out), redirect_stderr(err), conditions[under]():
        code = called(command, words.split())
    after = snapshot()
    new = sorted(after.keys() - before.keys())
    changed = [p for p in before if after.get(p) != before[p]]
    for p in new:
        if (work/p).is_dir(): shutil.rmtree(work/p)
        else: (work/p).unlink(missing_ok=True)
    return code, out.getvalue().splitlines(), err.getvalue().splitlines(), new, changed


def full(self, data):
    "A disk that is full, though a file can be made"
    raise OSError(28, 'No space left on device', str(self))


def full_disk(): return patch.object(Path, 'write_bytes', full)


def interrupted(): return patch.object(DermoMamba, 'forward', side_effect=KeyboardInterrupt)


conditions = {None: nullcontext, 'full disk': full_disk, 'Ctrl-C': interrupted}


def check(command, given, arguments, code, seen, left='', under=None):
    "Run a row and assert all that it promises"
    got, out, err, new, changed = run(command, arguments, under)
    quiet = 'usage:', ' '  # what argparse prints before its own line
    said = [l for l in err if l.strip() and not l.startswith(quiet) and 'Ctrl-C keeps' not in l]
    line = next((l for l in said + out if all(s in l for s in seen.split('|'))), None)
    where = command, given, got, said, out[-3:]
    assert got == code, where
    assert line and len(said) <= 1 and not any('Traceback' in l for l in out + err), where
    assert not changed, (where, changed)
    files = [p for p in new if not any(q.startswith(p + '/') for q in new)]
    assert files == left.split(), (where, files)  # no empty folder, nothing half-written


def table(command, rows):
    for given, arguments, code, *rest in rows: check(command, given, arguments, code, *rest)
    total[command] += len(rows)


def put(name, data=b''):
    path = work/name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def encoded(kind, image=photo, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(tag, data):
    return struct.pack('>I', len(data)) + tag + data + struct.pack('>I', zlib.crc32(tag + data))


def huge(side):
    "A PNG of a hundred bytes that claims so many pixels a side"
    header = struct.pack('>IIBBBBB', side, side, 8, 0, 0, 0, 0)
    parts = chunk(b'IHDR', header), chunk(b'IDAT', zlib.compress(bytes(99))), chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + b''.join(parts)


class Program:
    "A pickle that makes a folder"
    def __reduce__(self): return os.mkdir, (str(work/'it_ran'),)


png = encoded('png')


def make_images():
    put('lesion.png', png)
    put('half.png', png[:len(png)//2])
    for kind in ('jpeg', 'bmp', 'tiff', 'webp', 'gif'):
        raw = encoded(kind)
        put(f'half.{kind}', raw[:len(raw)//2])
    put('empty.png')
    put('text.png', 'hello')
    put('bomb.png', huge(60_000))
    put('script.png', '%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n')
    put('texts/readme.txt', 'x')
    put('twins/a.png', png)
    put('twins/a.jpg', encoded('jpeg'))
    (work/'folder.png').mkdir()
    put('column.csv', 'picture\nlesion.png\n')
    put('empty.csv')
    put('quote.csv', 'image\n"lesion.png\nlesion.png\n')
    put('missing.csv', 'image\nnowhere.png\n')
    put('climbs.csv', 'image,name\nlesion.png,../../x\n')
    put('latin.csv', 'image\ncafé.png\n'.encode('latin-1'))
    put('binary.csv', b'\xff\xfe\0a\0\0')


torch.manual_seed(0)
net = DermoMamba((32, 64), widths=(4, 4, 8, 8, 8, 16)).eval()
weights = save_model(net, work/'w.safetensors').read_bytes()
state = {k: v.clone() for k, v in net.state_dict().items()}


def make_weights():
    put('half.safetensors', weights[:5000])
    put('program.safetensors', pickle.dumps(Program()))
    torch.save(dict(state_dict=state, args=Program()), work/'program.pth')
    torch.save(dict(state_dict=state, args=os.PathLike), work/'args.pth')
    nan = torch.full_like(state['stem.weight'], torch.nan)
    save_file(state | {'stem.weight': nan}, work/'nan.safetensors')
    put('other.safetensors', save({'layer1.weight': torch.zeros(2)}))
    for name, n in dict(mixed=8, wide=1_000_000).items():
        claim = {'encoder.4.widen.weight': torch.zeros(n, 1)}
        put(f'{name}.safetensors', save(state | claim))
    grey = DermoMamba((32, 64), in_channels=1, widths=(4, 4, 8, 8, 8, 16))
    save_model(grey, work/'grey.safetensors')


def make_sets():
    for i in range(12):
        image, lesion = phantom(i)
        put(f'set/images/a{i}.png', encoded('png', image))
        put(f'set/masks/a{i}.png', encoded('png', lesion.point(lambda v: 255*v)))
    for name in ('lone', 'misfit', 'grey', 'torn'): shutil.copytree(work/'set', work/name)
    (work/'lone/masks/a3.png').unlink()
    put('misfit/masks/a3.png', encoded('png', Image.new('L', (10, 10))))
    put('grey/masks/a3.png', encoded('png', Image.new('L', photo.size, 90)))
    put('torn/images/a3.png', png[:300])
    put('pair/images/a.png', png)
    put('pair/masks/a.png', encoded('png', mask))
    splits = dict(leak=('a0\na1', 'a1\na2', 'a3'), unknown=('a0\na1', 'zz', 'a3'),
                  doubled=('a0', 'a1', 'a2\na2.png'))
    for name, lists in splits.items():
        for role, text in zip(('train', 'valid', 'test'), lists): put(f'{name}/{role}.txt', text)
    put('binary.txt', b'\xff\xfe\0a')
    put('nothing.txt', '\n# no id\n')
    put('set.zip', b'PK\x03\x04 and so on')


csv = 'o/predictions.csv'


def predict_images():
    halves = [(f'half a {k}', f'--images half.{k}', 1, f'half.{k}', csv)
              for k in ('png', 'jpeg', 'bmp', 'tiff', 'webp', 'gif')]
    images = [
        ('no such file', '--images nowhere.png', 1, 'nowhere.png: no such file'),
        ('nothing to work on', '!--out o', 2, '--images'),
        ('an empty file', '--images empty.png', 1, 'empty.png: not an image', csv),
        *halves,
        ('a text called PNG', '--images text.png', 1, 'text.png: not an image', csv),
        ('a program called PNG', '--images script.png', 1, 'script.png: ', csv),
        ('60,000 x 60,000 pixels', '--images bomb.png', 1, 'bomb.png: ', csv),
        ('weights for an image', '--images w.safetensors', 1, 'w.safetensors: not an image', csv),
        ('a folder called PNG', '--images folder.png', 1, 'folder.png: no image in it'),
        ('a folder of texts', '--images texts', 1, 'texts: no image in it|passed over: 1 .txt'),
        ('a folder of folders', '--images set', 1, 'set: no image in it|2 sub-folders'),
        ('two images of one name', '--images twins', 1, 'twins/a.jpg|twins/a.png|one name'),
        ('one image twice', '--images lesion.png lesion.png', 1, 'lesion.png|would be called'),
        ('a CSV without the column', '--images column.csv', 1, 'column.csv: no column image'),
        ('a CSV with an open quote', '--images quote.csv', 1, 'quote.csv: |quotation mark'),
        ('an empty CSV', '--images empty.csv', 1, 'empty.csv: no column'),
        ('a CSV that is no text', '--images binary.csv', 1, 'binary.csv: not a text'),
        ('a CSV in old letters, its file gone', '--images latin.csv', 1,
         'café.png: no such file', csv),
        ('a CSV whose file is gone', '--images missing.csv', 1, 'nowhere.png: no such file', csv),
        ('a CSV that climbs out', '--images climbs.csv', 1,
         "climbs.csv: |'../../x' would lead out"),
        ('a file where a folder should be', '--out text.png', 1, 'text.png: cannot write there')]
    table('predict', images)


def predict_again():
    with inside(work), redirect_stdout(io.StringIO()):
        main_of('predict')(f"{usual['predict']} --out made --no-overlay".split())
    put('found/masks/lesion.png', (work/'made/masks/lesion.png').read_bytes())
    table('predict', [
        ('another threshold', '--out made --threshold .4', 1,
         'made: its masks |threshold=0.5 (now 0.4)|another --out'),
        ('more views', '--out made --tta flips', 1,
         'made: its masks |tta=none (now flips)|--overwrite'),
        ('no cleaning', '--out made --no-postprocess', 1, 'postprocess=True (now False)'),
        ('other weights', '--out made --weights tiny', 1, 'made with other weights'),
        ('masks of unknown origin', '--out found', 1,
         'found: its masks |something that no predictions.json tells')])


bad_weights = [
    ('no such weights', 'nowhere', 'nowhere: no such file; expected weights'),
    ('half a file', 'half.safetensors', 'half.safetensors: not a safetensors file, or cut short'),
    ('a picture', 'lesion.png', 'lesion.png: not a safetensors file'),
    ('a folder without weights', 'texts', 'texts/model.safetensors: no such file'),
    ("another network's", 'other.safetensors', 'other.safetensors: no DermoMamba weights'),
    ('tensors of two networks', 'mixed.safetensors',
     'mixed.safetensors: no DermoMamba weights|size mismatch'),
    ('a tensor that claims a million channels', 'wide.safetensors',
     'wide.safetensors: no DermoMamba weights|size mismatch'),
    ('a value that is no number', 'nan.safetensors',
     'nan.safetensors: |stem.weight holds a value that is no number'),
    ('a pickle called safetensors', 'program.safetensors',
     'program.safetensors: a damaged checkpoint, or a pickle'),
    ('a checkpoint with a program', 'program.pth', 'program.pth: a pickle that would call|mkdir'),
    ('a checkpoint with an odd object', 'args.pth',
     'args.pth: a pickle that would call|PathLike|--trust')]


def predict_weights():
    rows = [(given, f'--weights {w}', 1, words) for given, w, words in bad_weights]
    rows.append(('a network for grey pictures', '--weights grey.safetensors', 1,
                 'grey.safetensors: in_channels=1'))
    table('predict', rows)


def predict_rest():
    table('predict', [
        ('a threshold over 1', '--threshold 1.5', 2, 'threshold=1.5'),
        ('no number', '--threshold nan', 2, 'threshold=nan'),
        ('a word for a number', '--threshold half', 2, "--threshold: |'half'"),
        ('no image a batch', '--bs 0', 2, 'bs=0'),
        ('half an image', '--bs 1.5', 2, "--bs: |'1.5'"),
        ('minus one thread', '--workers -1', 2, 'workers|-1'),
        ('a device by a wrong name', '--device gpu', 1, "'gpu' cannot be used|try cpu"),
        ('a card that is not there', '--device cuda:77', 1, "'cuda:77' cannot be used|try cpu"),
        ('views by a wrong name', '--tta sixteen', 2, "--tta: |'sixteen'"),
        ('a full disk', '', 1, 'cannot be written|No space left', '', 'full disk'),
        ('Ctrl-C', '', 130, 'stopped', '', 'Ctrl-C')])


def train_data():
    table('train', [
        ('no such data', '--data nowhere', 1, 'nowhere: |no such folder'),
        ('a file for a folder', '--data lesion.png', 1, 'lesion.png: not a data set I know|a file'),
        ('the archive itself', '--data set.zip', 1, 'set.zip: |python -m zipfile -e'),
        ('a folder of something else', '--data texts', 1, 'texts: not a data set I know'),
        ('a mask too few', '--data lone', 1, 'no partner|lone/images/a3.png'),
        ('a mask of another size', '--data misfit', 1, 'misfit/masks/a3.png is 10x10'),
        ('a grey mask', '--data grey', 1, 'grey/masks/a3.png: its brightest level is 90'),
        ('half an image', '--data torn', 1, 'torn/images/a3.png: cannot be read'),
        ('one smallest image a batch', '--size 32 32 --bs 1', 1, 'two images a batch or more'),
        ('one pair only', '--data pair', 1, 'pair: 1 pairs are too few'),
        ("the paper's split of other data", '--protocol paper', 1, "that of all 2,594 pairs"),
        ('a fold too many', '--protocol kfold --fold 9', 1, 'fold=9'),
        ('a file where a folder should be', '--out text.png', 1, 'text.png: cannot write there'),
        ('a full disk', '', 1, 'No space left', '', 'full disk'),
        ('Ctrl-C', '', 130, 'stopped', '', 'Ctrl-C')])


def train_ranges():
    ranges = [
        ('a size of no multiple of 32', '--size 33 64', 'size=33 64|try 32 64'),
        ('no epoch', '--epochs 0', 'epochs=0'),
        ('fewer than none', '--epochs -1', 'epochs=-1'),
        ('no image a batch', '--bs 0', 'bs=0'),
        ('fewer than none', '--bs -4', 'bs=-4'),
        ('no rate', '--lr 0', 'lr=0'),
        ('no number', '--lr nan', 'lr=nan'),
        ('an average that never moves', '--ema 1', 'ema=1'),
        ('decay under 0', '--wd -1', 'wd=-1'),
        ('a seed under 0', '--seed -1', 'seed=-1'),
        ('no image', '--n-train 0', 'n_train=0'),
        ('no time', '--minutes 0', 'minutes=0'),
        ('minus one process', '--workers -1', 'workers=-1'),
        ('one side of a size', '--size 32', '--size: expected 2'),
        ('a loss by a wrong name', '--loss dicee', "'dicee'")]
    others = [
        ('a rate that explodes', '--lr 1e30 --clip 0', 1, 'the loss is nan|lower learning rate'),
        ('a device by a wrong name', '--device gpu', 1, "'gpu' cannot be used|try cpu"),
        ('a card that is not there', '--device cuda:77', 1, "'cuda:77' cannot be used|try cpu")]
    table('train', [(given, a, 2, words) for given, a, words in ranges] + others)


def train_start():
    other = 'w.safetensors: weights of a network for (32, 64)|this run builds'
    start = bad_weights[:2] + bad_weights[7:] + [('another size', 'w.safetensors', other)]
    table('train', [(f'start from {given}', f'--init {w}', 1, words) for given, w, words in start])


def train_resume():
    settings = dict(epochs=7)
    old = dict(model=state, ema=None, opt=[], kept=None, history=[dict(epoch=0, seconds=1.)])
    part = old | dict(settings=settings)
    runs = dict(program=dict(settings=Program()), plain=state, part=part,
                other=part | dict(loss=(1., torch.tensor(1.))))
    put('run_text/last.pth', 'hello')
    for name, content in runs.items():
        (work/f'run_{name}').mkdir()
        torch.save(content, work/f'run_{name}/last.pth')
    no = 'not a checkpoint of this program'
    words = dict(text=no, program=no, plain=no, part=no, other='other settings (|epochs=7, now 1')
    table('train', [(f'a run of {name}', f'--out run_{name}', 1, f'run_{name}/last.pth|{said}')
                    for name, said in words.items()])


def evaluate():
    table('evaluate', [
        ('no data', '!--weights w.safetensors', 2, '--data'),
        ('neither weights nor runs', '!--data set', 2, '--weights'),
        ('no such data', '--data nowhere', 1, 'nowhere: |no such folder'),
        ('a threshold over 1', '--threshold 2', 2, '--threshold 2'),
        ('no image a batch', '--bs 0', 2, '--bs 0'),
        ('an image in two lists', '--protocol leak', 1,
         'leak/train.txt: a1: is in |leak/valid.txt'),
        ('a list with an unknown name', '--protocol unknown', 1,
         'unknown/valid.txt: zz: no such pair'),
        ('an image twice in a list', '--protocol doubled', 1, 'doubled/test.txt: a2: stands twice'),
        ('a folder without lists', '--protocol texts', 1, 'texts/train.txt: no such file'),
        ('a protocol by a wrong name', '--protocol weekly', 1, "protocol='weekly'"),
        ('a fold too many', '--protocol kfold --fold 7', 1, 'fold=7'),
        ('a mask of another size', '--data misfit --protocol transfer --threshold .5', 1,
         'misfit/masks/a3.png is 10x10'),
        ('half an image', '--data torn --protocol transfer --threshold .5', 1,
         'torn/images/a3.png: cannot be read'),
        ('a checkpoint with a program', '--weights program.pth', 1,
         'program.pth: a pickle that would call'),
        ('a value that is no number', '--weights nan.safetensors', 1, 'nan.safetensors: '),
        ('a device by a wrong name', '--device tpu', 1, "'tpu' cannot be used"),
        ('runs that are not there', '!--compare nowhere', 1, 'nowhere: no such folder'),
        ('runs that are none', '!--compare texts', 1, 'texts: holds no evaluation'),
        ('a file where a folder should be', '--out text.png', 1, 'text.png: cannot write there'),
        ('data for runs that have been scored', '!--compare set --data set', 2,
         '--data goes with --weights'),
        ('a full disk', '--threshold .5', 1, 'No space left', '', 'full disk'),
        ('Ctrl-C', '', 130, 'stopped', '', 'Ctrl-C')])


def benchmark():
    table('benchmark', [
        ('no such network', '!nowhere --out o', 1, 'nowhere: no such file'),
        ('a checkpoint with a program', '!program.pth --out o', 1,
         'program.pth: a pickle that would call'),
        ('a size that does not fit', '--size 64 64', 1,
         'w.safetensors: fails on an image of 64x64|takes images of (32, 64)'),
        ('something that is no network', '!os:getcwd --out o', 1, 'os:getcwd: returns a str'),
        ('a module that is not there', '!nowhere:net --out o', 1,
         "nowhere:net: no network|No module named 'nowhere'"),
        ('no round', '--rounds 0', 2, '--rounds 0'),
        ('a card that is not there', '--device cuda:77', 1, "'cuda:77' cannot be used"),
        ('a file where a folder should be', '--out text.png', 1, 'text.png: cannot write there')])


def doctor():
    def all_masks(name, change):
        "The set in order, each mask changed"
        shutil.copytree(work/'set', work/name)
        for p in (work/name/'masks').iterdir(): change(Image.open(p)).save(p)

    all_masks('full', lambda m: m.point(lambda v: 255))
    all_masks('black', lambda m: m.point(lambda v: 0))
    all_masks('inverted', lambda m: m.point(lambda v: 255 - v))
    all_masks('lines', lambda m: m.filter(ImageFilter.FIND_EDGES))
    for p in (work/'set/images').iterdir():
        for folder in ('images', 'masks'): put(f'photos/{folder}/{p.name}', p.read_bytes())
        for part in ('train', 'test'):
            put(f'parts/{part}/images/{p.name}', p.read_bytes())
            put(f'parts/{part}/masks/{p.name}', (work/'set/masks'/p.name).read_bytes())
    shutil.copytree(work/'set', work/'two')
    put('two/masks/a3_mask.png', (work/'set/masks/a3.png').read_bytes())
    table('doctor', [
        ('no such data', '--data nowhere', 1, 'nowhere: not a data set I know|no such folder'),
        ('a file for a folder', '--data lesion.png', 1, 'lesion.png: not a data set I know|a file'),
        ('a folder of something else', '--data texts', 1, 'texts: not a data set I know'),
        ('three folders', '--data set set set', 1, '3 folders: '),
        ('one folder twice', '--data set/images set/images', 1, 'set/images: |give it once'),
        ('masks before images', '--data set/masks set/images', 1,
         'set/masks|Give the images first'),
        ('images alone', '--data set/images', 1, 'set/images: not a data set I know'),
        ('a mask too few', '--data lone', 1, 'lone/images/a3.png'),
        ('two masks for an image', '--data two', 1, 'a3_mask.png: two masks for two/images/a3.png'),
        ('a name in two parts', '--data parts', 1, 'a0.png|one name, two images'),
        ('a mask of another size', '--data misfit', 1, 'misfit/masks/a3.png'),
        ('a grey mask', '--data grey', 1, 'grey/masks/a3.png'),
        ('half an image', '--data torn', 1, 'torn/images/a3.png'),
        ('photographs for masks', '--data photos', 1, 'photos/masks/a9.png'),
        ('masks all full', '--data full', 1, 'full: |12 are lesion everywhere'),
        ('masks all empty', '--data black', 1, 'black: |12 hold no lesion'),
        ('masks all inverted', '--data inverted', 1, 'inverted: |the 12 masks are inverted'),
        ('masks all drawn as lines', '--data lines', 1, 'lines: |line drawings')])


def doctor_lists():
    table('doctor', [
        ('lists without data', '--splits leak', 2, '--splits'),
        ('a list that is not there', '--data set --splits no.txt', 1, 'no.txt: no such file'),
        ('a list that is no text', '--data set --splits lesion.png', 1, 'lesion.png: not a text'),
        ('a list without an id', '--data set --splits nothing.txt', 1, 'nothing.txt: no id'),
        ('an image in two lists', '--data set --splits leak', 1, 'a1|leak/valid.txt'),
        ('a list with an unknown name', '--data set --splits unknown', 1, 'unknown/valid.txt|zz'),
        ('a sheet of a wrong kind', '--data set --sheet s.gif', 2, 's.gif: '),
        ('a sheet into no folder', '--data set --sheet nowhere/s.png', 1, 'nowhere'),
        ('no thread', '--data set --workers 0', 2, '--workers 0'),
        ('a full disk', '--data set --sheet s.png', 1, 's.png', '', 'full disk')])


def app_uploads():
    uploads = [
        ('nothing', b'', 'is empty'),
        ('too many bytes', bytes(3_000_000), '3.0 MB. This page takes |at most 2 MB'),
        ('a text', b'hello', 'is not a picture'),
        ('a program that draws', (work/'script.png').read_bytes(), 'is not a picture'),
        ('half a PNG', png[:len(png)//2], 'cannot be read'),
        ('60,000 x 60,000 pixels', huge(60_000), 'is not a picture'),
        ('10,000 x 10,000 pixels', huge(10_000), 'has 10000 x 10000 pixels'),
        ('16 x 16 pixels', encoded('png', photo.resize((16, 16))), 'has 16 x 16 pixels'),
        ('a strip', encoded('png', photo.resize((900, 40))), 'has 900 x 40 pixels'),
        ('a pickle', (work/'program.pth').read_bytes(), 'is not a picture')]
    for given, data, words in uploads:
        line = ''
        try: read_upload(data, 'a.png', max_mb=2)
        except ValueError as e: line = str(e)
        parts = *words.split('|'), 'a.png'
        assert all(w in line for w in parts) and '\n' not in line, (given, line)
    total['app'] += len(uploads)


def app():
    table('app', [
        ('no such weights', '--weights nowhere', 1, 'nowhere: no such file'),
        ('a folder without weights', '--weights texts', 1, 'texts/model.safetensors: no such file'),
        ('a port that is none', '--port 70000', 2, '--port 70000: 1 to 65535'),
        ('a word for a number', '--port many', 2, "'many'")])


def secret():
    "A file that may not be read, unless one is root, who may read everything"
    put('secret.png', png)
    (work/'secret.png').chmod(0)
    if not os.access(work/'secret.png', os.R_OK):
        table('predict', [('a secret', '--images secret.png', 1, 'secret.png', csv)])
    (work/'secret.png').unlink()


def trust():
    "A checkpoint that would call a function: refused, and with `trust` it does"
    test_fail(lambda: load_model(work/'args.pth'), exc=WeightsError, contains='PathLike')
    trusted = load_model(work/'args.pth', trust=True).state_dict()
    assert all(torch.equal(a, b) for a, b in zip(trusted.values(), state.values()))
    load_model(work/'program.pth', trust=True)  # a good network, and something else
    assert (work/'it_ran').exists()
    (work/'it_ran').rmdir()


RISKY = {'torch.load', 'pickle.load', 'pickle.loads', 'joblib.load', 'np.load', 'yaml.load', 'eval',
         'exec', 'load_learner', 'import_module', 'unpack_archive', 'untar_data', 'extract',
         'extractall', 'aoti_load_package'}
SAFE = {'torch.load': 'weights_only=', 'np.load': 'npz', 'extractall': "filter='data'",
        'import_module': ''}  # of a module of ours, or one that the user of a command names


def calls(file):
    "The calls of a source file that could run what is in another file: function, whole call"
    for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
        if not isinstance(node, ast.Call): continue
        name = ast.unparse(node.func)
        last = name.split('.')[-1]
        if name in RISKY: yield name, ast.unparse(node)
        elif last in RISKY - {'eval'}: yield last, ast.unparse(node)


def loaders():
    "Each place of the package that opens what could be a program is accounted for"
    asks = []
    for file in sorted((root/'dermomamba').rglob('*.py')):
        for name, text in calls(file):
            assert name in SAFE and SAFE[name] in text, (file, text)
            assert 'allow_pickle' not in text, (file, text)
            if 'weights_only=' in text and 'weights_only=True' not in text: asks.append(file.stem)
    assert asks == ['weights'], asks  # the one place that asks `trust`


def archives():
    "ISIC 2018's two zip files, from the archives to the pairs"
    both = (('images', 'ISIC2018_Task1-2_Training_Input', ''),
            ('masks', 'ISIC2018_Task1_Training_GroundTruth', '_segmentation'))
    for part, folder, end in both:
        with zipfile.ZipFile(work/f'{folder}.zip', 'w') as z:
            for p in sorted((work/'set'/part).iterdir()): z.write(p, f'{folder}/{p.stem}{end}.png')
        shutil.unpack_archive(work/f'{folder}.zip', work/'isic'/folder)
    test_eq(ISIC2018(work/'isic').ids, sorted(f'a{i}' for i in range(12)))


def tables():
    "Every row; none of the programs in the files may have run"
    rows = (predict_images, predict_again, predict_weights, predict_rest, train_data, train_ranges,
            train_start, train_resume, evaluate, benchmark, doctor, doctor_lists, app_uploads, app,
            secret)
    for check_rows in rows: check_rows()
    assert total.total() >= 120 and min(total.values()) >= 8
    assert not (work/'it_ran').exists()


def main():
    warnings.filterwarnings('ignore', category=UserWarning)  # Pillow's, about the damaged files
    try:
        for make in (make_images, make_weights, make_sets): make()
        tables()
        trust()
        loaders()
        archives()
    finally: shutil.rmtree(work)
    print(f'{total.total()} bad inputs, each with its line: {dict(total)}')


if __name__ == '__main__': main()
