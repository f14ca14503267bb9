"""The functions of the notebook `6_use/3_explore`, which is no part of the package.

The site's live explorers show the same numbers in JavaScript. Its imports, its functions and its
constants are run here, and nothing else: no drawing, no test, no slider.
"""
import ast
from pathlib import Path
from types import SimpleNamespace

import nbformat

NOTEBOOK = Path(__file__).resolve().parent.parent/'nbs'/'6_use'/'3_explore.ipynb'


def defines(node):
    "Is it an import, a function, or a constant in capitals?"
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets)
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef))


def explorers():
    "What the notebook defines, by name"
    names = {}
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        if cell.cell_type != 'code' or 'google.colab' in cell.source:
            continue
        tree = ast.parse(cell.source)
        tree.body = [node for node in tree.body if defines(node)]
        exec(compile(tree, f'{NOTEBOOK.name}, cell {cell.id}', 'exec'), names)
    return SimpleNamespace(**names)
