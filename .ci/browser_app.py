"""The page "Segment your own image" in a real browser, started by the very command of `make app`.

A synthetic image is uploaded, the slider moved, the mask saved and compared with `segment`'s; a
broken file and one over the limit get their sentences; every request is written down, and only
127.0.0.1 may answer one. SCREENSHOT=FILE keeps a picture, RECORD=FILE the record that the notebook
6_use/4_app shows.
"""
import json, os, signal, subprocess, sys, tempfile, time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from browser import chromium, free_port, skip, wait_for

LIMIT = 20_000_000 # bytes; `make app` states 20 MB
FIGURE = '.lesion-app figure img'
# true when the first figure is there, and is another than the one given
CHANGED = f"b => {{const i = document.querySelector('{FIGURE}'); return i && i.src !== b}}"
# whether each figure has been loaded and says in words what it shows
SHOWN = 'images => images.map(i => i.alt.length > 9 && i.complete && i.naturalWidth > 0)'


@contextmanager
def app():
    "The command of `make app` on a free port; gives its address"
    port = free_port()
    env = dict(os.environ, NO_ALBUMENTATIONS_UPDATE='1', OMP_NUM_THREADS='1')
    command = Path(sys.executable).parent/'dermomamba_app'
    start = 'from dermomamba.use.app import main; raise SystemExit(main())'
    command = [command] if command.exists() else [sys.executable, '-c', start]
    server = subprocess.Popen(
        [*command, '--no-browser', f'--port={port}'], env=env, cwd=tempfile.gettempdir(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f'http://127.0.0.1:{port}/'
    finally:
        server.send_signal(signal.SIGINT) # Ctrl-C: it ends its kernels
        try:
            server.wait(20)
        except subprocess.TimeoutExpired: # a shell's background job does not hear Ctrl-C
            server.terminate()
            server.wait(20)


def upload(page, *file):
    "Choose a file by its path, or one made here by (name, bytes)"
    with page.expect_file_chooser() as chooser:
        page.get_by_role('button', name='Upload a photograph').click()
    if len(file) == 1:
        chooser.value.set_files(file[0])
    else:
        name, content = file
        chooser.value.set_files(dict(name=name, mimeType='image/png', buffer=content))


def says(page, text):
    page.get_by_text(text).wait_for(timeout=60_000)


def other(page, before):
    "Wait until the outline is another picture; its address"
    page.wait_for_function(CHANGED, arg=before, timeout=60_000)
    return page.locator(FIGURE).first.get_attribute('src')


class Watch:
    "Seconds of each part"
    def __init__(self):
        self.seconds = {}
        self.start()

    def start(self):
        self.begin = time.perf_counter()

    def lap(self, name):
        self.seconds[name] = round(time.perf_counter() - self.begin, 2)
        self.start()


def opens(page, address, watch):
    "The page loads, with its example; the address of the outline"
    page.goto(address, timeout=120_000)
    page.get_by_role('heading', name='Segment your own image').wait_for(timeout=60_000)
    watch.lap('page is there')
    example = other(page, '')
    watch.lap('network is loaded, example shown')
    assert page.get_by_text('gives no diagnosis').is_visible()
    return example


def segments(page, image, example, watch):
    "A photograph is uploaded, and the threshold moved to 0.60"
    watch.start()
    upload(page, image)
    first = other(page, example)
    says(page, 'mine.png: move')
    watch.lap('upload to outline')
    assert '1200 x 900 pixels' in page.locator('.lesion-app table').inner_text()
    assert all(page.locator(FIGURE).evaluate_all(SHOWN))
    slider = page.get_by_role('slider', name='threshold')
    slider.focus()
    watch.start()
    slider.press('ArrowRight')
    other(page, first)
    watch.lap('a move of the slider')
    for _ in range(9):
        slider.press('ArrowRight')
    says(page, '0.60')
    page.wait_for_timeout(1500) # the last redraw wipes the links


def saved_mask(page):
    "The mask as the page saves it"
    import numpy as np
    from PIL import Image
    page.get_by_role('button', name='Prepare files').click()
    link = page.get_by_role('link', name='Save mask')
    link.wait_for(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    mask, name = np.asarray(Image.open(download.value.path())), download.value.suggested_filename
    assert (name, mask.shape) == ('mine_mask.png', (900, 1200)), (name, mask.shape)
    return mask


def refuses(page, folder):
    "What is no picture, and what is too large, gets a sentence"
    upload(page, 'byte.png', b'x')
    says(page, 'byte.png is not a picture')
    assert page.locator('.lesion-app figure').count() == 0
    large = Path(folder)/'large.jpg'
    large.write_bytes(bytes(LIMIT + 1000))
    upload(page, str(large))
    says(page, 'large.jpg has 20.0 MB, and this page takes 20 MB')
    large.write_bytes(bytes(LIMIT)) # exactly the limit: it arrives, and is no picture
    upload(page, str(large))
    says(page, 'large.jpg is not a picture')


def use(page, address, folder):
    "Everything a person would do; what was seen, and the seconds it took"
    from PIL import Image
    from dermomamba.data.phantom import make_phantom
    from dermomamba.use.predict import segment
    watch, image = Watch(), f'{folder}/mine.png'
    example = opens(page, address, watch)
    photo, _ = make_phantom(77, (900, 1200))
    Image.fromarray(photo).save(image)
    segments(page, image, example, watch)
    want = 255*segment(image, tta='flips', threshold=.6, device='cpu')
    same = bool((saved_mask(page) == want).all())
    shot = os.environ.get('SCREENSHOT')
    if shot:
        page.screenshot(path=shot, full_page=True)
    refuses(page, folder)
    upload(page, image) # the page is alive
    other(page, '')
    says(page, 'mine.png: move')
    assert 'Traceback' not in page.content()
    return dict(mask_equals_segment=same, seconds=watch.seconds)


def host(url):
    return urlsplit(url).hostname


def visit():
    "What was found, the hosts that were asked, and those that the page's own policy refused"
    asked, refused = [], []
    with chromium() as browser, tempfile.TemporaryDirectory() as folder, app() as address:
        page = browser.new_page(viewport=dict(width=1300, height=950))

        def ask(url):
            if not url.startswith(('data:', 'blob:')):
                asked.append(url)

        def fail(request):
            if request.failure == 'csp': # before anything is sent
                refused.append(request.url)
        page.on('request', lambda request: ask(request.url))
        page.on('websocket', lambda socket: asked.append(socket.url))
        page.on('requestfailed', fail)
        found = use(page, address, folder)
        went = [host(url) for url in asked if url not in refused]
    return found, went, [host(url) for url in refused]


def main():
    try:
        import voila
    except ImportError:
        skip('voila is not installed')
    found, went, refused = visit()
    if set(went) != {'127.0.0.1'}:
        sys.exit(f'the page asked other machines: {sorted(set(went) - {"127.0.0.1"})}')
    if not found['mask_equals_segment']:
        sys.exit('the mask that the page saved is not the one that segment gives')
    file, hosts = os.environ.get('RECORD'), sorted(set(refused))
    if file:
        by_policy = {name: refused.count(name) for name in hosts}
        record = dict(found, requests={'127.0.0.1': len(went)}, refused_by_policy=by_policy)
        Path(file).write_text(json.dumps(record, indent=1) + '\n')
    print(f"the page works: {found['seconds']}; {len(went)} requests, all to 127.0.0.1; "
          f"refused by the page's policy: {hosts}")


if __name__ == '__main__':
    main()
