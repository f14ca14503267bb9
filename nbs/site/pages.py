"""From a notebook as it is edited to a notebook as it is read on the site, and the tree of pages"""
import re
from pathlib import Path

import nbformat

DIRECTIVE = re.compile(r'^#\| *(.*)\n?', re.M)
LINK = re.compile(r'\]\((?!\w+:)([^)\s#]*)(#[^)\s]*)?\)')
MARKUP = re.compile(r'!?\[([^\]]*)\]\([^)]*\)')
SENTENCE = re.compile(r'(?<=[.!?])\s+(?=[A-Z(])')


def slug(title):
    "The anchor of a heading, as GitHub writes it"
    return re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-')


def plain(text):
    "Markdown without its marks"
    return re.sub(r'\s+', ' ', re.sub(r'[`*$|\\]|^[>-] ', '', MARKUP.sub(r'\1', text), flags=re.M))


def headings(text):
    "The headings of a markdown cell, without code between fences"
    return re.findall(r'^#+ +(.*)$', re.sub(r'```.*?```', '', text, flags=re.S), re.M)


class Prose:
    "What was said last before a picture: its alternative text"
    def __init__(self): self.heading = self.sentence = ''
    def hear(self, text):
        "Remember the last heading and the last sentence of a markdown cell"
        self.heading = [self.heading, *headings(text)][-1]
        paragraphs = [p for p in text.split('\n\n') if p.strip() and p.strip()[0] not in '#|$`']
        if paragraphs:
            last = SENTENCE.split(plain(paragraphs[-1]).strip())[-1]
            self.sentence = last.strip('(): ')
    def __str__(self): return f'Figure in "{plain(self.heading)}": {self.sentence}'


class Book:
    "The notebooks below a folder, in the order of the map in index.ipynb"
    def __init__(self,
        folder, # nbs/
        blob,   # address of the repository's files
    ):
        self.folder, self.blob = Path(folder), blob
        index = nbformat.read(self.folder/'index.ipynb', 4)
        text = '\n'.join(c.source for c in index.cells if c.cell_type == 'markdown')
        self.map = text.partition('\n## The map')[2]

    def names(self):
        "All notebooks but the index, as names of documents"
        files = (p.relative_to(self.folder) for p in self.folder.rglob('*.ipynb'))
        names = [p.with_suffix('').as_posix() for p in files if '.ipynb_checkpoints' not in p.parts]
        return sorted({*names} - {'index'}, key=lambda n: (self.map.find(f']({n}.ipynb)'), n))

    def chapters(self):
        "Title of each chapter -> (its main line, what can be skipped)"
        titles = {t[0]: t for t in re.findall(r'\*\*(\d [^*]+)\*\*', self.map)}
        found = {}
        for name in self.names():
            chapter, _, rest = name.partition('/')
            if chapter[0].isdigit():
                title = titles.get(chapter[0], chapter.replace('_', ' ').capitalize())
                found.setdefault(title, ([], []))[rest.startswith('more/')].append(name)
        return dict(sorted(found.items()))

    def toctrees(self):
        "The side bar: the main line, chapter by chapter; then what can be skipped; then the rest"
        start = [n for n in self.names() if '/' not in n]
        extra = [f'site/{n}' for n in ('try', 'explore') if (self.folder/f'site/{n}.md').exists()]
        parts = {'Start': ['Overview <self>', *start, *extra]}
        parts |= {title: main for title, (main, _) in self.chapters().items()}
        parts['Skip at first reading'] = ['More <site/more>']
        parts['Look it up'] = ['site/api', 'site/bibliography']
        return '\n\n'.join(toctree(names, caption) for caption, names in parts.items())

    def more(self):
        "The page of everything that can be skipped, by chapter, each with its line"
        parts = {title: more for title, (_, more) in self.chapters().items() if more}
        parts['Beside the chapters'] = [n for n in self.names() if n.startswith('more/')]
        text = ''
        for title, names in parts.items():
            lines = '\n'.join(f'- [{self.title(n)}](../{n}.ipynb): {self.line(n)}' for n in names)
            text += f'\n## {title}\n\n{lines}\n\n{toctree(["/" + n for n in names])}\n'
        return text

    def opening(self, name):
        "The first cell of a notebook"
        return nbformat.read(self.folder/f'{name}.ipynb', 4).cells[0].source
    def title(self, name): return headings(self.opening(name))[0]
    def line(self, name): return re.search(r'^> (.*)$', self.opening(name), re.M)[1]

    def links(self, name, text):
        "Anchors as the site has them; files outside nbs/ are read in the repository"
        def mended(match):
            file, anchor = match[1], slug((match[2] or '')[1:])
            place = (self.folder/name).parent/file
            outside = file and self.folder not in place.resolve().parents
            if outside:
                root = self.folder.parent
                file = f'{self.blob}/{place.resolve().relative_to(root).as_posix()}'
            return f']({file}#{anchor})' if anchor else f']({file})'
        return LINK.sub(mended, text)

    def notebook(self,
        name, # of the document
        text, # of its file
    ):        # text of the notebook to show
        "Without hidden cells and directives; helpers folded; every picture with a text"
        nb, said = nbformat.reads(text, 4), Prose()
        nb.metadata['language_info'] = {'name': 'python', 'pygments_lexer': 'ipython3'}
        nb.cells = [c for c in nb.cells if shown(c)]
        for cell in nb.cells:
            if cell.cell_type == 'markdown':
                said.hear(cell.source)
                cell.source = self.links(name, cell.source)
            else:
                mend_code(cell, said)
        if name == 'index':
            nb.cells.append(nbformat.v4.new_markdown_cell(self.toctrees()))
        return nbformat.writes(nb)


def toctree(names, caption=''):
    "A toctree of MyST for the side bar"
    head = [f':caption: "{caption}"'] if caption else []
    return '\n'.join(['```{toctree}', *head, ':hidden:', '', *names, '```'])


def shown(cell):
    "Is a cell part of the page? Not if hidden, for Colab only, or empty without its directives"
    if cell.cell_type != 'code':
        return True
    directives = DIRECTIVE.findall(cell.source)
    hidden = any(d.split()[0] == 'hide' for d in directives if d.split())
    colab = "if 'google.colab' in sys.modules" in cell.source
    return not hidden and not colab and DIRECTIVE.sub('', cell.source).strip() != ''


def mend_code(cell, said):
    "No directives; a helper is folded; pictures get a text: the cell's `fig-alt`, or what was said"
    alt = re.search(r'^#\| *fig-alt: *"?(.*?)"?$', cell.source, re.M)
    cell.source = DIRECTIVE.sub('', cell.source)
    if cell.metadata.get('jupyter', {}).get('source_hidden'):
        cell.metadata['tags'] = ['hide-input']
    cell.metadata['mystnb'] = {'image': {'alt': alt[1] if alt else str(said)}}
    for output in cell.outputs:
        output.get('data', {}).pop('application/vnd.jupyter.widget-view+json', None)
