"""The page "Segment your own image" in a real browser, started by the very command of `make app`.

A synthetic image is uploaded, the slider moved, the mask saved and compared with `segment`'s; a broken file and one over the limit get
their sentences; every request is written down, and only 127.0.0.1 may answer one. SCREENSHOT=FILE keeps a picture, RECORD=FILE the
record that the notebook 6_use/4_app shows.
"""
import json, os, signal, subprocess, sys, tempfile, time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from browser import chromium, free_port, skip, wait_for

LIMIT = 20_000_000 # bytes; `make app` states 20 MB


@contextmanager
def app():
    "The command of `make app` on a free port; gives its address"
    port = free_port()
    env = dict(os.environ, NO_ALBUMENTATIONS_UPDATE='1', OMP_NUM_THREADS='1')
    command = Path(sys.executable).parent/'dermomamba_app'
    command = [command] if command.exists() else [sys.executable, '-m', 'dermomamba.use.app']
    server = subprocess.Popen([*command, '--no-browser', f'--port={port}'], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    try:
        wait_for(port)
        yield f'http://127.0.0.1:{port}/'
    finally:
        server.send_signal(signal.SIGINT) # Ctrl-C: it ends its kernels
        try: server.wait(20)
        except subprocess.TimeoutExpired: # a shell's background job does not hear Ctrl-C
            server.terminate()
            server.wait(20)


def upload(page, *file):
    "Choose a file by its path, or one made here by (name, bytes)"
    with page.expect_file_chooser() as chooser: page.get_by_role('button', name='Upload a photograph').click()
    chooser.value.set_files(file[0] if len(file) == 1 else dict(name=file[0], mimeType='image/png', buffer=file[1]))


def says(page, text): page.get_by_text(text).wait_for(timeout=60_000)


def other(page, before):
    "Wait until the outline is another picture; its address"
    page.wait_for_function("b => {const i = document.querySelector('.lesion-app figure img'); return i && i.src !== b}", arg=before, timeout=60_000)
    return page.locator('.lesion-app figure img').first.get_attribute('src')


def use(page, address, folder):
    "Everything a person would do; what was seen, and the seconds it took"
    import numpy as np
    from PIL import Image
    from dermomamba.data.phantom import make_phantom
    from dermomamba.use.predict import segment
    seconds, start = {}, time.perf_counter()
    def lap(name):
        nonlocal start
        seconds[name], start = round(time.perf_counter() - start, 2), time.perf_counter()

    page.goto(address, timeout=120_000)
    page.get_by_role('heading', name='Segment your own image').wait_for(timeout=60_000); lap('page is there')
    example = other(page, ''); lap('network is loaded, example shown')
    assert page.get_by_text('gives no diagnosis').is_visible()

    photo, _ = make_phantom(77, (900, 1200))
    Image.fromarray(photo).save(f'{folder}/mine.png')
    start = time.perf_counter()
    upload(page, f'{folder}/mine.png')
    first = other(page, example); says(page, 'mine.png: move'); lap('upload to outline')
    assert '1200 x 900 pixels' in page.locator('.lesion-app table').inner_text()
    assert all(page.locator('.lesion-app figure img').evaluate_all('images => images.map(i => i.alt.length > 9 && i.complete && i.naturalWidth > 0)'))

    slider = page.get_by_role('slider', name='threshold')
    slider.focus(); start = time.perf_counter()
    slider.press('ArrowRight'); other(page, first); lap('a move of the slider')
    for _ in range(9): slider.press('ArrowRight')
    says(page, '0.60')
    page.wait_for_timeout(1500) # the last redraw wipes the links

    page.get_by_role('button', name='Prepare files').click()
    link = page.get_by_role('link', name='Save mask')
    link.wait_for(timeout=60_000)
    with page.expect_download() as download: link.click()
    mask = np.asarray(Image.open(download.value.path()))
    assert (download.value.suggested_filename, mask.shape) == ('mine_mask.png', (900, 1200)), (download.value.suggested_filename, mask.shape)
    same = bool((mask == 255*segment(f'{folder}/mine.png', tta='d4', threshold=.6, device='cpu')).all())
    if shot := os.environ.get('SCREENSHOT'): page.screenshot(path=shot, full_page=True)

    upload(page, 'byte.png', b'x'); says(page, 'byte.png is not a picture')
    assert page.locator('.lesion-app figure').count() == 0
    name = f'{folder}/large.jpg'
    Path(name).write_bytes(bytes(LIMIT + 1000)); upload(page, name); says(page, 'large.jpg has 20.0 MB, and this page takes 20 MB')
    Path(name).write_bytes(bytes(LIMIT)); upload(page, name); says(page, 'large.jpg is not a picture') # exactly the limit: it arrives, and is no picture
    upload(page, f'{folder}/mine.png'); other(page, ''); says(page, 'mine.png: move') # the page is alive
    assert 'Traceback' not in page.content()
    return dict(mask_equals_segment=same, seconds=seconds)


def main():
    try: import voila
    except ImportError: skip('voila is not installed')
    host = lambda url: urlsplit(url).hostname
    with chromium() as browser, tempfile.TemporaryDirectory() as folder, app() as address:
        page, asked, refused = browser.new_page(viewport=dict(width=1300, height=950)), [], []
        page.on('request', lambda r: r.url.startswith(('data:', 'blob:')) or asked.append(r.url))
        page.on('websocket', lambda w: asked.append(w.url))
        page.on('requestfailed', lambda r: r.failure == 'csp' and refused.append(r.url)) # by the page's own policy, before anything is sent
        found = use(page, address, folder)
        went = [host(u) for u in asked if u not in refused]
    if set(went) != {'127.0.0.1'}: sys.exit(f'the page asked other machines: {sorted(set(went) - {"127.0.0.1"})}')
    if not found['mask_equals_segment']: sys.exit('the mask that the page saved is not the one that segment gives')
    if file := os.environ.get('RECORD'):
        record = found | dict(requests={'127.0.0.1': len(went)}, refused_by_policy={h: sum(host(u) == h for u in refused) for h in sorted({host(u) for u in refused})})
        Path(file).write_text(json.dumps(record, indent=1) + '\n')
    print(f"the page works: {found['seconds']}; {len(went)} requests, all to 127.0.0.1; refused by the page's policy: {sorted({host(u) for u in refused})}")


if __name__ == '__main__': main()
