"""Pages of the API: one for the front door and one for each sub-package, written before each build.

Signatures and tables are made by fastcore's docments from the comments behind the parameters.
"""
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args, get_origin

import nbformat
from fastcore.docments import DocmentTbl, DocmentText, can_render

import pages

PACKAGE = 'dermomamba'


class Signature(DocmentText):
    "A signature without the comments, which stand in the table below it"
    @property
    def params(self): return [(text.replace(':NoneType', ''), '') for text, _ in super().params]
    @property
    def _ret_str(self): return super()._ret_str.split(':')[0]
    def __str__(self):
        text = super().__str__()
        return text.replace('def ', 'class ', 1) if inspect.isclass(self.obj) else text


def homes(book):
    "Module -> (its notebook, {name: the heading that it is defined under}), in the book's order"
    found = {}
    for notebook in book.names():
        cells = nbformat.read(book.folder/f'{notebook}.ipynb', 4).cells
        module, heading, under = None, '', {}
        for cell in cells:
            if cell.cell_type == 'markdown':
                heading = [heading, *pages.headings(cell.source)][-1]
            elif exported := re.search(r'^#\| *default_exp +(\S+)', cell.source, re.M):
                module = exported[1]
            elif re.search(r'^#\| *export', cell.source, re.M):
                names = re.findall(r'^(?:def|class) +(\w+)|^(\w+) *=', cell.source, re.M)
                under |= {a or b: heading for a, b in names}
        if module:
            found[module] = notebook, under
    return found


def methods(cls):
    "Public methods that a class defines itself, and its call"
    own = ((n, getattr(v, '__func__', v)) for n, v in vars(cls).items())
    public = ((n, v) for n, v in own if n[0] != '_' or n == '__call__')
    return [(n, v) for n, v in public if inspect.isfunction(v) and can_render(v)]


def table(symbol):
    "Parameters with types, defaults and comments; a default of None says nothing about a type"
    text = str(DocmentTbl(symbol)).replace('| NoneType |', '|  |')
    for name, p in inspect.signature(symbol).parameters.items():
        if get_origin(p.annotation) is Literal:
            words = ', '.join(get_args(p.annotation))
            text = text.replace(f'| {name} | Literal |', f'| {name} | {words} |')
    return text


def own_doc(symbol):
    "What a symbol says of itself, not what its base says"
    return inspect.cleandoc(symbol.__doc__ or '')


def value(name, symbol):
    "A constant: itself if it is short, else what it is"
    text = repr(symbol)
    if len(text) < 80 and '<' not in text:
        return f'```python\n{name} = {text}\n```'
    keys = ', '.join(f'`{key}`' for key in symbol) if isinstance(symbol, dict) else ''
    return f'A `{type(symbol).__name__}`' + (f' with the keys {keys}' if keys else '') + '.'


def entry(name, symbol, level):
    "Heading, signature, one line, and the table of parameters and result"
    parts = [f'{"#"*level} `{name}`']
    if not callable(symbol):
        parts.append(value(name, symbol))
    elif can_render(symbol):
        code = Signature(symbol, docstring=False)
        parts += [f'```python\n{code}\n```', own_doc(symbol), table(symbol)]
    else: # an exception has no signature
        parts.append(own_doc(symbol))
    return '\n\n'.join(parts)


def module_entries(module, notebook, under):
    "A module: what it is for, and every public name with the place that defines it"
    code = import_module(f'{PACKAGE}.{module}')
    home = f'../../{notebook}.ipynb'
    made = f'Made by the notebook [{notebook.rpartition("/")[2]}]({home}).'
    parts = [f'## `{PACKAGE}.{module}`', code.__doc__, made]
    for name in code.__all__:
        symbol = getattr(code, name)
        parts.append(entry(name, symbol, 3))
        heading = under.get(name)
        if heading:
            parts.append(f'Defined in [{pages.plain(heading)}]({home}#{pages.slug(heading)}).')
        if inspect.isclass(symbol):
            parts += [entry(f'{name}.{n}', method, 4) for n, method in methods(symbol)]
    return '\n\n'.join(parts)


def front_door(subs):
    "The names that `import dermomamba` offers, each with its line and its sub-package's page"
    door = import_module(PACKAGE)
    rows = ['| name | | sub-package |', '|---|---|---|']
    for name in door.__all__:
        symbol = getattr(door, name)
        sub = symbol.__module__.split('.')[1]
        rows.append(f'| [`{name}`]({sub}.md#{name.lower()}) | {inspect.getdoc(symbol)} | {sub} |')
    return '\n'.join(rows)


def write(folder):
    "Write site/api/*.md below `folder`, which is nbs/"
    book = pages.Book(folder, '')
    target = Path(folder)/'site'/'api'
    target.mkdir(exist_ok=True)
    found = homes(book)
    subs = dict.fromkeys(module.split('.')[0] for module in found if '.' in module)
    texts = {PACKAGE: f'# {PACKAGE}\n\n{import_module(PACKAGE).__doc__}\n\n{front_door(subs)}'}
    for sub in subs:
        texts[sub] = f'# {sub}\n\n{import_module(f"{PACKAGE}.{sub}").__doc__}'
    for module, (notebook, under) in found.items():
        sub = module.split('.')[0] if '.' in module else PACKAGE
        texts[sub] += '\n\n' + module_entries(module, notebook, under)
    for old in target.glob('*.md'):
        old.unlink()
    for sub, text in texts.items():
        (target/f'{sub}.md').write_text(text + '\n', encoding='utf-8')
