"""The explorers in a real browser: JupyterLab runs a notebook, and sliders redraw their figures.

Needs `playwright` from the development environment and a Chromium: the one on PATH, the one that
CHROMIUM names, or playwright's own. Where one is missing it says so and passes, as the notebooks
themselves are tested elsewhere.
"""
import os, shutil, socket, subprocess, sys, tempfile, threading, time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

root = Path(__file__).resolve().parent.parent
NAMES = 'chromium', 'chromium-browser', 'google-chrome'
ARGS = [
    '--no-sandbox', '--disable-gpu', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run']
# true when no cell of the notebook waits or runs
ALL_DONE = """document.querySelectorAll('.jp-InputPrompt').length &&
    ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"""


def skip(why):
    print(f'skipped: {why}')
    sys.exit(0)


@contextmanager
def chromium():
    "A headless Chromium"
    try:
        from playwright.sync_api import sync_playwright, Error
    except ImportError:
        skip('playwright is not installed')
    on_path = filter(None, map(shutil.which, NAMES))
    path = os.environ.get('CHROMIUM') or next(on_path, None)
    with sync_playwright() as p:
        try:
            browser = p.chromium.launch(executable_path=path, args=ARGS)
        except Error as e:
            skip(f'no Chromium to start ({str(e).splitlines()[0]})')
        yield browser
        browser.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *args):
        pass # a page that was left before it had everything


@contextmanager
def served(folder):
    "A plain static server over a folder; gives its address"
    server = Server(('127.0.0.1', 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f'http://127.0.0.1:{server.server_port}'
    finally:
        server.shutdown()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(port):
    "Until somebody listens there, a minute at most"
    for _ in range(240):
        with socket.socket() as s:
            if s.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(.25)


@contextmanager
def jupyter(folder):
    "JupyterLab over a folder, on a free port; gives its address"
    port = free_port()
    env = dict(
        os.environ, NO_ALBUMENTATIONS_UPDATE='1', OMP_NUM_THREADS='1',
        JUPYTER_CONFIG_DIR=f'{folder}/.config', JUPYTER_DATA_DIR=f'{folder}/.data')
    command = [
        sys.executable, '-m', 'jupyter', 'lab', '--no-browser', '--allow-root', f'--port={port}',
        '--ServerApp.token=', '--ServerApp.password=', '--ServerApp.ip=127.0.0.1',
        f'--ServerApp.root_dir={folder}', '--LabApp.news_url=None',
        '--LabApp.extension_manager=readonly']
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = subprocess.Popen(command, env=env, **quiet)
    try:
        wait_for(port)
        yield f'http://127.0.0.1:{port}'
    finally:
        server.terminate()
        server.wait(20)


def moves(page, n):
    "Move the first slider of the n-th explorer by a key; True when its figure has become another"
    explorer = page.locator('.widget-interact').nth(n)
    explorer.scroll_into_view_if_needed(timeout=60_000)
    image, slider = explorer.locator('img').first, explorer.locator('.noUi-handle').first
    image.wait_for(timeout=120_000)
    slider.focus()
    for key in ('ArrowRight', 'ArrowLeft', 'ArrowLeft'): # a slider may stand at its end
        before = image.get_attribute('src')
        slider.press(key)
        for _ in range(150):
            page.wait_for_timeout(200)
            if image.count() and image.get_attribute('src') != before:
                return True
    return False


def run_and_move(page, address):
    "Open and run a notebook; the number of explorers, and which of them stand still"
    page.goto(address, timeout=120_000)
    page.locator('.jp-Notebook').wait_for(timeout=120_000)
    page.get_by_text('| Idle').wait_for(timeout=120_000) # its kernel is there
    page.locator('.lm-MenuBar-itemLabel', has_text='Run').click()
    page.locator('.lm-Menu-itemLabel', has_text='Run All Cells').first.click()
    page.locator('.widget-interact').first.wait_for(timeout=300_000)
    page.wait_for_function(ALL_DONE, timeout=300_000)
    n = page.locator('.widget-interact').count()
    return n, [k + 1 for k in range(n) if not moves(page, k)]


def main(notebook='6_use/3_explore.ipynb'):
    with chromium() as browser, tempfile.TemporaryDirectory() as d:
        others = shutil.ignore_patterns('.git', '.venv*', 'runs', 'build', '_docs')
        shutil.copytree(root, f'{d}/book', ignore=others)
        with jupyter(f'{d}/book') as address:
            page = browser.new_page(viewport=dict(width=1300, height=1000))
            try:
                n, still = run_and_move(page, f'{address}/lab/tree/nbs/{notebook}')
            finally:
                shot = os.environ.get('SCREENSHOT')
                if shot:
                    page.screenshot(path=shot)
    if still or not n:
        sys.exit(f'{notebook}: of {n} explorers, these did not redraw: {still}')
    print(f'{notebook}: {n} explorers redrew when a slider moved')


if __name__ == '__main__':
    main(*sys.argv[1:])
