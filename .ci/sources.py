"""One bibliography: each link of a "Sources" cell is the url of one entry of references.bib.

And the other way round: every entry is named in a notebook. Run by `.ci/checks.py`; the site shows
the entries on a page of their own.
"""
import re, sys
from collections import Counter
from pathlib import Path

import nbformat

root = Path(__file__).resolve().parent.parent
BIB = root/'nbs'/'site'/'references.bib'
ITEM = re.compile(r'^- .*$', re.M)
LINK = re.compile(r'\]\((https?://[^)\s]+)\)')


def named():
    "Address of each source -> the notebooks that name it; and items without an address"
    found, bare = {}, []
    for path in sorted((root/'nbs').rglob('*.ipynb')):
        if '.ipynb_checkpoints' in path.parts:
            continue
        name = path.relative_to(root/'nbs').as_posix()
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type != 'markdown' or '## Sources' not in cell.source:
                continue
            for item in ITEM.findall(cell.source.partition('## Sources')[2]):
                links = LINK.findall(item)
                bare += [] if links else [f'{name}: no link in {item!r}']
                for link in links:
                    found.setdefault(link, []).append(name)
    return found, bare


def main():
    found, faults = named()
    entries = Counter(re.findall(r'^ *url = \{(.*)\},?$', BIB.read_text(encoding='utf-8'), re.M))
    faults += [f'{names[0]}: {link} is not in {BIB.name}'
               for link, names in found.items() if link not in entries]
    faults += [f'{BIB.name}: {url} is in no "Sources" cell' for url in entries if url not in found]
    faults += [f'{BIB.name}: {url} stands there {n} times' for url, n in entries.items() if n > 1]
    print(f'{len(entries)} sources, named {sum(map(len, found.values()))} times')
    if faults:
        sys.exit('\n'.join(faults))


if __name__ == '__main__':
    main()
