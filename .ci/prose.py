"""Links, spelling and openings of the notebooks, without a network; run by `.ci/checks.py`.

Every notebook begins with its title, a link to the glossary, and one cell that prepares Colab, and
is in the map of index.ipynb. Every internal link of the notebooks and of README.md leads to a file
of the project, and to a heading where it names one. Every word of the prose is in pyspellchecker's
English dictionary or in `.ci/words.txt`. `prose.py --write` adds missing openings, and unknown
words to that list: read what it adds.
"""
import copy, os, re, sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat
from spellchecker import SpellChecker

root = Path(__file__).resolve().parent.parent
words = Path(__file__).with_name('words.txt')
CODE = re.compile(r'```.*?```|^    .*?$|`[^`\n]*`', re.S | re.M)
LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')
NOT_PROSE = re.compile( # formulas, targets of links, addresses, tags, names with digits
    r'\$\$.*?\$\$|\$[^$]+\$|\]\([^)]*\)|https?://\S+|<[^>]+>|\b\w*[\d_]\w*\b', re.S)
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
COLAB = '''# On Colab: fetch the book and what it needs. Anywhere else this cell does nothing.
import sys
if 'google.colab' in sys.modules:
    %cd -q /content
    !test -d dermomamba || git clone -q --depth 1 https://github.com/dermomamba/dermomamba
    %pip install -q "/content/dermomamba[book]"
    %cd -q /content/dermomamba/FOLDER'''
INDEX = root/'nbs'/'index.ipynb'


def glossary(path):
    "The sentence that leads from a notebook to the glossary and the exercises"
    letters, exercises = (
        Path(os.path.relpath(root/'nbs'/to, path.parent)).as_posix()
        for to in ('glossary.ipynb', '7_exercises/exercises.ipynb'))
    return (f'Letters and words: [glossary]({letters}). '
            f'Exercises with solutions: [exercises]({exercises}).')


def opening(path, write=False):
    "What is missing at the start of a notebook; with `write` it is put there"
    nb = nbformat.read(path, 4)
    title, second, before = nb.cells[0], nb.cells[1], copy.deepcopy(nb)
    name = path.relative_to(root/'nbs').as_posix()
    faults = [
        f'{name}: no "{word}" in the first cell'
        for word in ('# ', '\n> ', 'Run time') if word not in title.source]
    if 'glossary.ipynb' not in title.source and path.stem != 'glossary':
        title.source += '\n\n' + glossary(path)
        faults += [] if write else [f'{name}: no link to the glossary in the first cell']
    colab = COLAB.replace('FOLDER', path.parent.relative_to(root).as_posix())
    if second.source != colab:
        nb.cells.insert(1, nbformat.v4.new_code_cell(colab, id='colab'))
        faults += [] if write else [f'{name}: the second cell is not the one for Colab']
    if write and nb != before:
        nbformat.write(nb, path)
    if f']({name})' not in markdown(INDEX):
        faults.append(f'{name}: not in the map of index.ipynb')
    return faults


@cache
def markdown(path):
    "The text of a notebook's markdown cells, or of a markdown file"
    text = path.read_text(encoding='utf-8')
    if path.suffix != '.ipynb':
        return text
    cells = nbformat.reads(text, 4).cells
    return '\n\n'.join(c.source for c in cells if c.cell_type == 'markdown')


def prose(path):
    return CODE.sub(' ', markdown(path))


def headings(path):
    "Anchors of a file's headings, as GitHub writes them and as JupyterLab does"
    lines = re.findall(r'^#+ +(.*)$', markdown(path), re.M)
    titles = [re.sub(r'[`*]|\[([^\]]*)\]\([^)]*\)', r'\1', line).strip() for line in lines]
    github = {re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles}
    return github | {title.replace(' ', '-') for title in titles}


def dead_links(path):
    "Links of a file that lead nowhere in the project"
    for target in LINK.findall(prose(path)):
        if re.match(r'\w+:', target): # other sites are not asked
            continue
        file, _, anchor = unquote(target).partition('#')
        to = (path.parent/file).resolve() if file else path
        if not to.exists():
            yield f'{target}: no such file'
        elif root not in to.parents:
            yield f'{target}: outside the project'
        elif anchor and anchor not in headings(to):
            yield f'{target}: no such heading'


def unknown_words(path, known, speller):
    "Words of a file that neither the dictionary nor our list knows"
    found = {w.replace('’', "'") for w in WORD.findall(NOT_PROSE.sub(' ', prose(path)))}
    found = {w.removesuffix("'s").removesuffix("'") for w in found}
    others = {w for w in found if len(w) > 2 and not {w, w.lower()} & known}
    return {w for w in others if speller.unknown([w.lower()])}


def documents():
    "Everything that is read: the notebooks, the READMEs, and the pages of the site"
    every = sorted((root/'nbs').rglob('*.ipynb'))
    found = [p for p in every if '.ipynb_checkpoints' not in p.parts]
    found += [root/'README.md', root/'data'/'README.md']
    found += sorted((root/'dermomamba'/'weights').glob('*/README.md'))
    found += sorted((root/'nbs'/'site').glob('*.md'))
    if len(found) < 10:
        sys.exit(f'only {len(found)} files found: this check looks in the wrong place')
    return found


def main():
    write, files, faults, new = '--write' in sys.argv, documents(), [], {}
    known = set(words.read_text(encoding='utf-8').split()) if words.exists() else set()
    speller = SpellChecker()
    for path in files:
        if path.suffix == '.ipynb' and path.stem != 'index':
            faults += opening(path, write)
    for path in files:
        name = path.relative_to(root)
        faults += [f'{name}: link {fault}' for fault in dead_links(path)]
        for word in unknown_words(path, known, speller):
            new.setdefault(word, name)
    if write:
        every = sorted(known | set(new), key=lambda word: (word.lower(), word))
        words.write_text('\n'.join(every) + '\n', encoding='utf-8')
        print(*sorted(new), sep='\n')
    else:
        faults += [
            f'{name}: word {word!r}; mend it, or add it to .ci/words.txt'
            for word, name in sorted(new.items())]
    print(f'{len(files)} files, {len(known)} words of our own')
    if faults:
        sys.exit('\n'.join(faults))


if __name__ == '__main__':
    main()
