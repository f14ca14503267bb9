"""How fast `dermomamba_predict` works through a folder, and which share of it the network missed.

    python .ci/predict_speed.py PHOTOGRAPH ... [--weights tiny] [--record predict_cpu.json]

Every call of the network is clocked, and the rest is all that goes on around it: reading,
cleaning, measuring, drawing, writing and waiting. One image goes all the way before the clock
starts: code is compiled, libraries are imported.
"""
import argparse, tempfile, time
from pathlib import Path
from unittest.mock import patch

import numpy as np, torch
from PIL import Image

from dermomamba.core import write_record
from dermomamba.evidence.inference import ready_model
from dermomamba.use import files, predict
from dermomamba.use.folders import collect_images

PROTOCOL = (
    'from files to masks, overlays and the table, after one warm-up image; outside_share: of the '
    'wall time, the share in which a thread for the network had none of it to do; '
    'outside_share_of_work: of the processor time; idle_share: of what all cores could have done')


def clocked(clock, look=predict.probabilities):
    "The network's call, which adds its seconds, and those that its thread worked, to a list"
    def f(*args):
        start, work = time.perf_counter(), time.thread_time()
        found = look(*args)
        clock.append((time.perf_counter() - start, time.thread_time() - work))
        return found
    return f


def measured(images, model, out, workers):
    "Rows, clock, wall and processor seconds"
    with tempfile.TemporaryDirectory() as d:
        Image.new('RGB', (96, 64)).save(f'{d}/a.png')
        files.predict_files({'a': Path(d)/'a.png'}, model, Path(d)/'out')
        predict.lesion_geometry(np.eye(9)) # the image's own mask may be empty
    clock = []
    with patch.object(predict, 'probabilities', clocked(clock)):
        start, work = time.perf_counter(), time.process_time()
        rows = files.predict_files(images, model, out, workers=workers)
        return rows, clock, time.perf_counter() - start, time.process_time() - work


def facts(rows, clock, seconds, processor, model, workers):
    "The record, as numbers"
    done = [r for r in rows if r['status'] == 'done']
    on_cpu = next(model.parameters()).device.type == 'cpu'
    cores = torch.get_num_threads() if workers and on_cpu else 1
    wall, work = map(sum, zip(*clock))
    pixels = np.mean([r['height']*r['width'] for r in done])
    return dict(
        images=len(done), seconds=round(seconds, 3),
        images_per_second=round(len(done)/seconds, 2),
        outside_share=round(1 - wall/cores/seconds, 4),
        outside_share_of_work=round(1 - work/processor, 4),
        idle_share=round(1 - processor/cores/seconds, 4), network_size=list(model.img_size),
        mean_pixels=round(pixels), workers=workers, bs=None, tta='none', overlays=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('images', nargs='+')
    p.add_argument('--weights', default='isic2018')
    p.add_argument('--record', help='JSON file to write')
    a = p.parse_args()
    model = ready_model(a.weights)
    workers = 1 if next(model.parameters()).device.type == 'cpu' else 4
    with tempfile.TemporaryDirectory() as out:
        found = measured(collect_images(a.images), model, out, workers)
    record = facts(*found, model, workers)
    for name, value in record.items():
        print(f'{name:22} {value}')
    if a.record:
        write_record(a.record, **record, protocol=PROTOCOL)


if __name__ == '__main__':
    main()
