"""The book's site, built without a network and without a warning, and looked at: `make book`.

Every link inside the site leads somewhere, every picture is there and has a text, headings come in
order, no page weighs more than 2 MB, every public name is in the API; and in a browser: side bar,
search, mathematics, a phone's screen, dark and light. `--no-build` looks at what is there already.
"""
import sys, time
from collections import Counter
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlparse

from browser import chromium, served

root = Path(__file__).resolve().parent.parent
site = root/'_docs'/'html'
LIMIT = 2_000_000 # bytes of a page with its pictures
LOOKED_AT = ['index', '1_scan/3_selection', '5_evidence/5_release_vs_paper', 'site/api/scan',
             'site/bibliography', 'site/try', 'site/explore']
# text and what stands behind it, for the contrast of WCAG
CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number)
  const light = c => {
    const [r, g, b] = rgb(c).slice(0, 3).map(v => v/255)
      .map(v => v <= .03928 ? v/12.92 : ((v + .055)/1.055)**2.4)
    return .2126*r + .7152*g + .0722*b
  }
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor, a = rgb(c)
      if (a.length < 4 || a[3] > .9) return c
    }
    return 'rgb(255, 255, 255)'
  }
  const kinds = ['p', 'h1', 'h2', 'pre', 'td', 'nav a', 'article p a', 'summary', 'pre span']
  return kinds.flatMap(kind => [...document.querySelectorAll(kind)].slice(0, 60).map(e => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))]
    return [kind, (Math.max(a, b) + .05)/(Math.min(a, b) + .05), e.textContent.slice(0, 40)]
  })).filter(([kind, ratio, text]) => ratio < 4.5 && text.trim())
}"""


class Page(HTMLParser):
    "What a page holds: anchors, links, pictures, headings and text of its article"
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.pictures, self.headings, self.text = set(), [], [], [], ''
        self.inside = False
        self.feed(path.read_text(encoding='utf-8'))
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[key] for key in ('id', 'name') if attrs.get(key)}
        self.links += [attrs[key] for key in ('href', 'src') if attrs.get(key)]
        self.inside |= tag == 'article'
        if tag == 'img':
            self.pictures.append((attrs.get('src'), attrs.get('alt')))
        if self.inside and tag[0] == 'h' and tag[1:].isdigit():
            self.headings.append(int(tag[1]))
    def handle_endtag(self, tag): self.inside &= tag != 'article'
    def handle_data(self, data): self.text += data if self.inside else ''


def build():
    "The site from nothing; a warning is an error"
    from sphinx.cmd.build import main as sphinx
    sys.path.insert(0, str(root))
    options = ['-q', '-E', '-W', '--keep-going', '-c', root/'nbs'/'site', '-d', root/'_docs'/'tmp']
    code = sphinx([*map(str, options), str(root/'nbs'), str(site)])
    if code:
        sys.exit('the site has faults: mend the notebook or page that each line above names')


def pages():
    "All pages of the book, without those that Sphinx makes beside them"
    paths = [p for p in site.rglob('*.html') if '_static' not in p.parts]
    own = [p for p in paths if p.stem not in ('genindex', 'search', 'searchindex')]
    return {p.relative_to(site).as_posix().removesuffix('.html'): Page(p) for p in own}


def broken(name, page, every):
    "Links of a page that lead nowhere, and missing pictures"
    for link in set(page.links):
        if urlparse(link).scheme or link == '#':
            continue
        file, anchor = unquote(urlparse(link).path), unquote(urlparse(link).fragment)
        to = (site/f'{name}.html').parent/file if file else site/f'{name}.html'
        key = to.resolve().relative_to(site).as_posix().removesuffix('.html')
        if not to.exists():
            yield f'{link}: no such file'
        elif anchor and key in every and anchor not in every[key].ids:
            yield f'{link}: no such place'


def weight(name, page):
    "Bytes of a page and of its own pictures"
    path = site/f'{name}.html'
    pictures = {path.parent/src for src, _ in page.pictures if src and '_images' in src}
    return sum(p.stat().st_size for p in {path, *pictures} if p.exists())


def faults_of(name, page, every):
    "Everything that is wrong with a page"
    found = [*broken(name, page, every)]
    found += [f'{src}: a picture without a text' for src, alt in page.pictures if not alt]
    if page.headings.count(1) != 1:
        found.append(f'{page.headings.count(1)} titles')
    pairs = zip(page.headings, page.headings[1:])
    found += [f'heading {b} after {a}' for a, b in pairs if b > a + 1]
    if weight(name, page) > LIMIT:
        found.append(f'{weight(name, page):,} bytes')
    marks = '#| ', "'google.colab' in sys.modules"
    found += [f'shows {mark!r}' for mark in marks if mark in page.text]
    return [f'{name}: {fault}' for fault in found]


def missing(every):
    "Notebooks without a page, and public names that are not in the API"
    notebooks = {p.relative_to(root/'nbs').with_suffix('').as_posix()
                 for p in (root/'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in p.parts}
    yield from (f'{name}: no page' for name in notebooks - every.keys())
    for path in sorted((root/'dermomamba').glob('*/*.py')):
        sub, module = path.parent.name, path.stem
        if module[0] == '_':
            continue
        api = every.get(f'site/api/{sub}')
        names = import_module(f'dermomamba.{sub}.{module}').__all__
        yield from (f'{sub}.{module}.{n}: not in the API' for n in names
                    if not api or n not in api.text)


def loud(page, address, faults):
    "Keep what the console, the network and the page complain of"
    def tell(what): faults.append(f'{urlparse(page.url).path}: {what}')
    page.on('console', lambda m: tell(m.text) if m.type == 'error' else None)
    page.on('pageerror', lambda e: tell(e))
    def lost(request): # what a click away has broken off is not lost
        if 'ERR_ABORTED' not in (request.failure or ''):
            tell(f'not loaded: {request.url}')
    page.on('requestfailed', lost)
    def ours(request):
        if not request.url.startswith((address, 'data:', 'blob:')):
            tell(f'asks another host: {request.url}')
    page.on('request', ours)


def first_screen(page, address, every):
    "The landing page shows an outline and a command before anybody scrolls"
    page.goto(f'{address}/index.html')
    picture, command = page.locator('img[src*=overview]'), page.get_by_text('make demo').first
    for place in (picture, command):
        if place.bounding_box()['y'] + 20 > page.viewport_size['height']:
            yield f'index: the first screen does not show {place}'


def side_bar(page, address, every):
    "A click in the side bar opens a chapter, and its mathematics is set"
    page.goto(f'{address}/index.html')
    page.locator('.bd-sidebar-primary a', has_text='The selective scan').first.click()
    page.wait_for_url('**/1_scan/3_selection.html')
    page.locator('mjx-container').first.wait_for()
    return []


def search(page, address, every):
    "The search finds the chapter on the selective scan, before all others"
    page.goto(f'{address}/search.html?q=selective+scan')
    page.locator('#search-results li:first-child a[href*="3_selection"]').first.wait_for()
    return []


def readable(page, address, every):
    "Light and dark, at a desk and on a phone: contrast, and nothing wider than the screen"
    for name in (n for n in LOOKED_AT if n in every):
        page.goto(f'{address}/{name}.html')
        page.wait_for_load_state('networkidle')
        page.wait_for_timeout(500)
        for theme in ('light', 'dark'):
            page.evaluate(f'document.documentElement.dataset.theme = "{theme}"')
            page.wait_for_timeout(600) # colours fade
            for kind, ratio, text in page.evaluate(CONTRAST)[:5]:
                yield f'{name}, {theme}: contrast {ratio:.1f} of {kind} {text!r}'
        page.set_viewport_size(dict(width=400, height=800))
        page.wait_for_timeout(300)
        width = page.evaluate('document.documentElement.scrollWidth')
        if width > 400:
            yield f'{name}: {width} pixels wide on a screen of 400'
        page.set_viewport_size(dict(width=1400, height=900))


def menu_on_a_phone(page, address, every):
    "The side bar hides on a phone until its button is pressed"
    page.set_viewport_size(dict(width=400, height=800))
    page.goto(f'{address}/1_scan/3_selection.html')
    page.locator('button.primary-toggle:visible').first.click()
    page.locator('dialog[open] a', has_text='State-space models').first.wait_for()
    return []


def look(every):
    "The site in a browser; its faults"
    faults = []
    with chromium() as browser, served(site) as address:
        page = browser.new_page(viewport=dict(width=1400, height=900))
        page.set_default_timeout(60_000)
        loud(page, address, faults)
        for step in (first_screen, side_bar, search, readable, menu_on_a_phone):
            try:
                faults += step(page, address, every)
            except Exception as e:
                faults.append(f'{step.__name__}: {str(e).splitlines()[0]}')
    return faults


def main():
    start = time.time()
    if '--no-build' not in sys.argv:
        build()
        print(f'built in {time.time() - start:.0f} s', flush=True)
    every = pages()
    faults = [fault for name, page in every.items() for fault in faults_of(name, page, every)]
    faults += missing(every)
    pictures = sum(len(page.pictures) for page in every.values())
    most, heavy = max((weight(name, page), name) for name, page in every.items())
    print(f'{len(every)} pages, {pictures} pictures, the heaviest {heavy}: {most:,} bytes')
    faults += look(every)
    if faults:
        sys.exit('\n'.join(f'{fault} ({n}x)' for fault, n in Counter(map(str, faults)).items()))
    print(f'passed in {time.time() - start:.0f} s: open {site/"index.html"}')


if __name__ == '__main__':
    main()
