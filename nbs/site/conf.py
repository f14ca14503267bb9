"""The book as a static site, `make book`: notebooks with their kept outputs, the API, the sources.

Sphinx's source folder is `nbs/`, its configuration this file. No notebook is run;
what the live pages need beside their code comes from `.ci/site_parts.py`, before.
"""
import sys
from configparser import ConfigParser
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import api, pages

config = ConfigParser(delimiters=['='])
config.read(here.parent.parent/'settings.ini', encoding='utf-8')
settings = config['DEFAULT']

project, author, release = (settings[key] for key in ('title', 'author', 'version'))
copyright = settings['copyright']
root_doc = 'index'
exclude_patterns = ['**.ipynb_checkpoints']
extensions = ['myst_nb', 'sphinxcontrib.bibtex', 'sphinx-mathjax-offline']

nb_execution_mode = 'off'
nb_merge_streams = True
nb_ipywidgets_js = {}       # widgets need a kernel; the grid above each one shows what they show
nb_mime_priority_overrides = [('html', 'image/gif', 45)]
nb_code_prompt_show = 'Show the code'
nb_code_prompt_hide = 'Hide the code'
myst_enable_extensions = ['amsmath', 'dollarmath']
myst_heading_anchors = 4
myst_heading_slug_func = 'pages.slug'
bibtex_bibfiles = ['references.bib']
bibtex_default_style = 'plain'

html_title = project
html_theme = 'sphinx_book_theme'
html_baseurl = f"{settings['doc_host']}{settings['doc_baseurl']}/"
html_static_path = ['static']
templates_path = ['templates']
html_css_files = ['book.css']
html_search_scorer = str(here/'scorer.js')
html_favicon = 'static/icon.svg'
html_context = {'default_mode': 'auto'}
html_sourcelink_suffix = '' # the download button gives the notebook under its own name
html_theme_options = dict(
    repository_url=settings['git_url'],
    repository_branch=settings['branch'],
    path_to_docs=settings['nbs_path'],
    use_repository_button=True,
    use_download_button=True,
    launch_buttons=dict(colab_url='https://colab.research.google.com'),
    show_navbar_depth=1,
    show_toc_level=2)


def mend(app, docname, source):
    "Every page passes here on its way from the file to the parser"
    book = pages.Book(app.srcdir, f"{settings['git_url']}/blob/{settings['branch']}")
    if app.env.doc2path(docname).suffix == '.ipynb':
        source[0] = book.notebook(docname, source[0])
    elif docname == 'site/more':
        source[0] += book.more()


def setup(app):
    app.connect('builder-inited', lambda app: api.write(app.srcdir))
    app.connect('source-read', mend)
