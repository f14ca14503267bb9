"""The page "Try it in the browser" in a real one: its masks are those of `segment`.

Ten synthetic photographs of many sizes are chosen on the page; at most half a percent of a mask's
pixels may differ from `segment`'s. What is no picture, or too large, gets its sentence; so does a
browser without WebAssembly. Nothing may leave the machine, and nothing may be wider than a phone.

The parts of the page come from site_parts.py, whose ONNX file takes a minute or two once. Where
npm, the exporter or Chromium is missing, this is skipped.
"""
import base64, io, struct, sys, time, zlib
from pathlib import Path
from urllib.parse import urlsplit

import site_parts
from browser import chromium, served, skip

live = site_parts.made.parent
SIZES = [ # of the photographs, height and width
    (96, 128), (97, 131), (192, 256), (256, 192), (300, 300), (400, 640), (450, 600), (700, 525),
    (60, 80), (1100, 1500)]
LIMIT = .005  # share of pixels in which the two masks may differ
SAYS = '#live-try [role=status]'
MASK = '''() => {
    const {mask, photo, took} = document.querySelector('#live-try').page;
    return {bytes: btoa(Array.from(mask, m => String.fromCharCode(m)).join('')),
            size: photo.shown, took};
}'''

DROP_TEXT = '''() => document.querySelector('#live-try .drop').dispatchEvent(
    new DragEvent('drop', {dataTransfer: new DataTransfer()}))'''
PARTS = '''async ({pixels, from, to, masks}) => {
    const {resizeBytes, resizeMap} = await import('/resample.js');
    const {cleanMask} = await import('/mask.js');
    const clean = ([size, mask]) => Array.from(cleanMask(Uint8Array.from(mask), size));
    const bytes = resizeBytes(Uint8Array.from(pixels), from, to, 3);
    const map = resizeMap(Float32Array.from(pixels.slice(0, from[0] * from[1])), from, to);
    return {bytes: Array.from(bytes), map: Array.from(map), masks: masks.map(clean)};
}'''


def png(image):
    "An array as the bytes of a file without losses"
    from PIL import Image
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, 'PNG')
    return buffer.getvalue()


def blank_png(width, height):
    "The bytes of a PNG that says it is large, and is not"
    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', check)
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    body = chunk(b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + body


def choose(page, name, content):
    "Choose a file made here"
    file = dict(name=name, mimeType='image/png', buffer=content)
    page.locator('#live-try input[type=file]').set_input_files(file)


def says(page, text):
    "Wait until the page says something, twenty seconds at most"
    for _ in range(200):
        said = page.locator(SAYS).inner_text()
        if text in said:
            return
        page.wait_for_timeout(100)
    sys.exit(f'the page was to say {text!r}, and says {said!r}')


def mask_of(page):
    "The mask that the page shows, and the milliseconds of its network"
    import numpy as np
    found = page.evaluate(MASK)
    mask = np.frombuffer(base64.b64decode(found['bytes']), np.uint8)
    return mask.reshape(found['size']), found['took']


def worked(browser):
    "Seconds of processor time of all pages so far"
    processes = browser.new_browser_cdp_session().send('SystemInfo.getProcessInfo')['processInfo']
    return sum(p['cpuTime'] for p in processes if p['type'] == 'renderer')


def masks(page, browser):
    "Masks of the page beside those of `segment`: (size, share that differs, seconds of one core)"
    from dermomamba.data.phantom import HELD_OUT, make_phantom
    from dermomamba.network.dermomamba import DermoMamba
    from dermomamba.use.predict import segment
    tiny, rows = DermoMamba.from_pretrained('tiny'), []
    for k, size in enumerate(SIZES):
        photo, _ = make_phantom(HELD_OUT + k, size)
        before = worked(browser)
        choose(page, f'photo{k}.png', png(photo))
        says(page, f'photo{k}.png: move')
        seconds = worked(browser) - before
        mask, want = mask_of(page)[0], segment(photo, tiny, device='cpu')
        rows.append((size, differing(mask, want), seconds))
    return rows


def turned(page):
    "A photograph that a camera has turned (EXIF) is outlined upright"
    from PIL import Image
    from dermomamba.data.phantom import make_phantom
    from dermomamba.use.predict import segment
    image, buffer = Image.fromarray(make_phantom(5, (300, 400))[0]), io.BytesIO()
    note = image.getexif()
    note[0x0112] = 6
    image.save(buffer, 'JPEG', quality=95, exif=note)
    choose(page, 'turned.jpg', buffer.getvalue())
    says(page, 'turned.jpg: move')
    with Image.open(buffer) as picture:
        want = segment(picture, 'tiny', device='cpu')
    mask, _ = mask_of(page)
    assert mask.shape == (400, 300) and differing(mask, want) <= LIMIT, differing(mask, want)


def parts(page):
    "Resizing equals Pillow's, but for one level, and torch's; cleaning equals `clean_mask`"
    import numpy as np, torch
    from PIL import Image
    from dermomamba.evidence.inference import clean_mask, to_size
    r = np.random.default_rng(0)
    masks = [(r.random(r.integers(1, 14, 2)) < r.choice([0, .3, .5, .7, 1])) for _ in range(99)]
    for size, to in (((31, 57), (96, 128)), ((200, 151), (96, 128)), ((96, 40), (96, 128))):
        image = r.integers(0, 256, (*size, 3), np.uint8)
        given = [(m.shape, m.ravel().tolist()) for m in masks]
        pixels = image.ravel().tolist()
        own = page.evaluate(PARTS, {'pixels': pixels, 'from': size, 'to': to, 'masks': given})
        want = np.asarray(Image.fromarray(image).resize(to[::-1], Image.BILINEAR))
        off = abs(np.array(own['bytes']) - want.ravel()).max()
        assert off <= 1, (size, to, off) # versions of Pillow differ in which axis comes first
        map = torch.tensor(pixels[:size[0]*size[1]]).float().view(size)
        assert np.allclose(own['map'], to_size(map, to).ravel(), atol=1e-3), (size, to)
        assert own['masks'] == [clean_mask(m).ravel().tolist() for m in masks]


def differing(mask, want):
    "Share of pixels that differ; the page may work on a smaller picture than the photograph"
    import numpy as np
    from PIL import Image
    if mask.shape != want.shape:
        want = np.asarray(Image.fromarray(255*want).resize(mask.shape[::-1], Image.BOX)) > 127
    return float((mask != want).mean())


def moves(page):
    "The slider moves the outline without another look, and by a key"
    before, ms = mask_of(page)
    page.get_by_role('slider', name='threshold').focus()
    for _ in range(40):
        page.keyboard.press('ArrowRight')
    after, again = mask_of(page)
    assert after.sum() < before.sum() and ms == again, (before.sum(), after.sum())
    assert '0.90' in page.locator('#live-try output').inner_text()


def refuses(page):
    "What is no picture, and what is too large, gets a sentence and no outline"
    for name, content, sentence in (
            ('notes.png', b'Dear diary,', 'notes.png is not a picture'),
            ('empty.png', b'', 'empty.png is not a picture'),
            ('huge.png', blank_png(10_000, 8000), 'huge.png has 10000 x 8000 pixels'),
            ('torn.png', blank_png(300, 200)[:60], 'torn.png')):
        choose(page, name, content)
        says(page, sentence)
        assert not page.locator('#live-try canvas').is_visible(), name
    page.evaluate(DROP_TEXT)
    says(page, 'That was no file')
    page.get_by_role('button', name='Use the example').click() # the page is alive
    says(page, 'The example, a synthetic lesion: move')


def narrow(page):
    "Nothing is wider than a phone"
    page.set_viewport_size(dict(width=400, height=800))
    page.wait_for_timeout(500) # canvases follow
    wide = page.evaluate('document.documentElement.scrollWidth')
    assert wide <= 400, f'the page is {wide} pixels wide on a phone of 400'


def without(browser, address, sentence, prepare):
    "A browser that cannot do it gets a sentence"
    page = browser.new_page()
    prepare(page)
    page.goto(f'{address}/try.html')
    page.get_by_role('button', name='Use the example').click()
    says(page, sentence)
    page.close()


def memory(browser):
    "The most that the largest page has held, in MB; None where the system does not tell"
    session = browser.new_browser_cdp_session()
    processes = session.send('SystemInfo.getProcessInfo')['processInfo']
    files = [Path(f"/proc/{p['id']}/status") for p in processes if p['type'] == 'renderer']
    lines = [line for f in files if f.exists() for line in f.read_text().splitlines()]
    most = [int(line.split()[1]) for line in lines if line.startswith('VmHWM')]
    return max(most)//1000 if most else None


def visit(browser, address):
    "Everything a visitor would do; the rows of `masks`, and what was asked of which machine"
    asked = []
    page = browser.new_page(viewport=dict(width=1400, height=1000))
    page.on('request', lambda r: asked.append((urlsplit(r.url).hostname, r.method)))
    page.goto(f'{address}/try.html')
    parts(page)
    rows = masks(page, browser)
    turned(page)
    moves(page)
    refuses(page)
    narrow(page)
    return rows, {(host, method) for host, method in asked if host}


def main():
    start = time.time()
    missing = site_parts.main()
    if missing:
        skip('; '.join(missing))
    with chromium() as browser, served(live) as address:
        rows, asked = visit(browser, address)
        most = memory(browser)
        without(browser, address, 'no WebAssembly',
                lambda page: page.add_init_script('delete window.WebAssembly'))
        without(browser, address, 'could not be loaded',
                lambda page: page.route('**/tiny.onnx', lambda route: route.abort()))
    for (h, w), differs, seconds in rows:
        print(f'{h:5} x {w:<5} {differs:8.4%} of the pixels differ, {seconds:.2f} s of one core')
    if asked != {('127.0.0.1', 'GET')}:
        sys.exit(f'the page asked other machines, or sent something: {sorted(asked)}')
    worst = max(differs for _, differs, _ in rows)
    if worst > LIMIT:
        sys.exit(f'{worst:.2%} of the pixels differ from the mask of segment; at most {LIMIT:.2%}')
    print(f'the page gives the masks of segment: {worst:.4%} differ at most; '
          f'{most} MB of memory at most; checked in {time.time() - start:.0f} s')


if __name__ == '__main__':
    main()
