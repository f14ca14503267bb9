"""The explorers of the site in a real browser: their numbers are those of the notebook.

For several settings the JavaScript functions are asked for their numbers, and these may differ from
those of `6_use/3_explore` by no more than 1e-5. Then every control is moved with a key: some
canvas must change, each control must have a label and each canvas a text, and nothing may be wider
than a phone. Skipped where Chromium is missing.
"""
import itertools, sys, time
from functools import cache

import numpy as np

import site_parts
from browser import chromium, served
from browser_try import narrow
from explorers import explorers

live = site_parts.made.parent
CLOSE = 1e-5
WALK = '''async settings => {
    const {walkData} = await import('/walks.js'), {unpacked} = await import('/arrays.js');
    const {walk} = await (await fetch('/made/explore.json')).json();
    const scene = {mask: unpacked(walk.mask), size: walk.mask.shape};
    const {order, delta, memory, here} = walkData(scene, settings);
    return {order, delta, memory: Array.from(memory), here};
}'''
SCAN = '''async settings => {
    const {scanData, sharesOf} = await import('/scan.js');
    const {scan: {u, pulses}} = await (await fetch('/made/explore.json')).json();
    const data = scanData(u, settings), shares = pulses.map(s => sharesOf(data, u, s));
    return {...data, u, M: Array.from(data.M), shares};
}'''
THRESHOLD = '''async ({lesion, threshold, clean}) => {
    const {unpacked} = await import('/arrays.js'), {scores} = await import('/scores.js');
    const {maskAt} = await import('/explore_threshold.js');
    const {lesions} = await (await fetch('/made/explore.json')).json();
    const {truth, p} = lesions[lesion], own = {p: unpacked(p), size: truth.shape};
    return scores(maskAt(own, threshold, clean), unpacked(truth));
}'''
LOOKS = "() => [...document.querySelectorAll('canvas')].map(c => c.toDataURL()).join()"
NAMELESS = '''() => [...document.querySelectorAll('.live input, .live select')]
    .filter(i => !i.labels.length).length +
    [...document.querySelectorAll('.live canvas')].filter(c => c.ariaLabel.length < 10).length'''


book = cache(explorers)


def close(name, ours, theirs):
    "Stop where two lists of numbers differ; NaN must stand in the same places"
    ours, theirs = (np.asarray(a, dtype=float).ravel() for a in (ours, theirs))
    same = ours.shape == theirs.shape and np.allclose(
        ours, theirs, rtol=0, atol=CLOSE, equal_nan=True)
    if not same:
        sys.exit(f'{name}: the page and the package differ')


def walks(page):
    "The four walks of SS2D, at several steps and step sizes; how many settings"
    side = site_parts.SIDE
    steps, deltas = (0, 333, side*side - 1), ((.02, .02), (.01, .2))
    settings = list(itertools.product(book().WALKS, steps, deltas))
    for walk, step, (skin, lesion) in settings:
        own = page.evaluate(WALK, dict(walk=walk, step=step, skinDelta=skin, lesionDelta=lesion))
        d = book().walk_data(walk, step, skin, lesion, size=(side, side))
        for name in ('order', 'delta', 'memory'):
            close(f'{name} of {walk}', own[name], getattr(d, name))
        close(f'place of {walk}', divmod(own['here'], side), d.here)
    return len(settings)


def smooth_walks(page):
    "The walks that only the page has: each pixel once, and no jumps"
    side = site_parts.SIDE
    for walk in ('snake', 'Hilbert'):
        own = page.evaluate(WALK, dict(walk=walk, step=500, skinDelta=.02, lesionDelta=.1))
        row, column = np.divmod(own['order'], side)
        close(f'pixels of {walk}', sorted(own['order']), range(side*side))
        close(f'steps of {walk}', abs(np.diff(row)) + abs(np.diff(column)), np.ones(side*side - 1))
        passed = np.cumsum(own['delta'][:501])
        left = np.asarray(own['memory'], float)[own['order'][:501]]
        close(f'memory of {walk}', left, np.exp(passed - passed[-1]))
    return 2


def scans(page):
    "Step sizes, states, outputs, the matrix and each pulse's share; how many settings"
    names = 'A', 'delta', 'B', 'C', 'selectivity'
    settings = [
        (-1., .01, 1., 1., 6.), (-.7, .2, 1.5, -.8, 0.), (-3., 2., -2., .5, -6.),
        (0., .005, 1., 2., 4.), (-1., .05, 0., 1., 2.)]
    for values in settings:
        knobs = dict(zip(names, values))
        own, d = page.evaluate(SCAN, knobs), book().scan_data(**knobs)
        for name in ('u', 'step', 'M', 'y'):
            close(f'{name} of {knobs}', own[name], getattr(d, name))
        close(f'h of {knobs}', knobs['C']*np.array(own['h']), d.y)
        close(f'shares of {knobs}', own['shares'], [d.M[:, s]*d.u[s] for s in book().PULSES])
    return len(settings)


def thresholds(page):
    "Dice, precision and recall of each lesion; how many settings"
    import torch
    from dermomamba.training.metrics import Confusion, formulas
    settings = list(itertools.product(site_parts.LESIONS, (.05, .3, .5, .85, .95), (False, True)))
    for lesion, threshold, clean in settings:
        given = dict(lesion=f'lesion {lesion}', threshold=threshold, clean=clean)
        own = page.evaluate(THRESHOLD, given)
        d = book().segmentation_data(lesion, threshold, postprocess=clean)
        m, t = torch.from_numpy(d.mask), torch.from_numpy(d.truth)
        counts = Confusion((m*t).sum(), (m*(1 - t)).sum(), ((1 - m)*t).sum(), None)
        close(f'Dice at {given}', own['dice'], d.dice)
        for name in ('dice', 'precision', 'recall'):
            close(f'{name} at {given}', own[name], formulas[name](counts))
    return len(settings)


def moves(page):
    "A key on each slider and list changes what is drawn; how many of them"
    controls = page.locator('.live input[type=range], .live select')
    for k in range(controls.count()):
        control, before = controls.nth(k), page.evaluate(LOOKS)
        control.focus()
        for key in ('ArrowLeft', 'ArrowDown'): # a list knows only the second
            page.keyboard.press(key)
        page.wait_for_timeout(100)
        if page.evaluate(LOOKS) == before:
            sys.exit(f'control {k + 1}: nothing is redrawn when it moves')
    return controls.count()


def main():
    start = time.time()
    site_parts.main()
    with chromium() as browser, served(live) as address:
        page = browser.new_page(viewport=dict(width=1400, height=1000))
        faults = []
        page.on('pageerror', lambda e: faults.append(str(e)))
        page.goto(f'{address}/explore.html')
        page.locator('[data-explorer=threshold] canvas').first.wait_for(timeout=60_000)
        n = [check(page) for check in (walks, smooth_walks, scans, thresholds)]
        controls = moves(page)
        nameless = page.evaluate(NAMELESS)
        narrow(page)
    if faults or nameless:
        sys.exit(f'errors: {faults}; controls or canvases without a text: {nameless}')
    print(f'numbers of the explorers equal those of the notebook in {sum(n)} settings; '
          f'{controls} controls work; checked in {time.time() - start:.0f} s')


if __name__ == '__main__':
    main()
