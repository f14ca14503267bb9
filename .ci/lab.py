"JupyterLab saves notebooks as git keeps them: without what a kernel adds when one is opened"
from nbdev.clean import clean_nb


def clean(model, **others):
    if model['type'] == 'notebook':
        clean_nb(model['content'], allowed_cell_metadata_keys=['jupyter'])


c.FileContentsManager.pre_save_hook = clean
