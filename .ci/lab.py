"JupyterLab saves notebooks as git keeps them: without what a kernel adds when one is opened"
from nbdev.clean import clean_nb
from nbdev.config import get_config

KEPT = get_config().allowed_cell_metadata_keys.split()


def clean(model, **others):
    if model['type'] == 'notebook':
        clean_nb(model['content'], allowed_cell_metadata_keys=KEPT)


c.FileContentsManager.pre_save_hook = clean
