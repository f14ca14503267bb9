# make demo   install, train on synthetic lesions, outline some (about 4 minutes after the install)
# make lab    open the notebooks
# make app    a page to segment your own images, on this machine only
# make test   every test, in environments of their own
# make book   the book as a web site, in _docs/html
# make export after editing a notebook: package, clean notebooks, README
PYTHON ?= python3
BIN = .venv/bin
export NO_ALBUMENTATIONS_UPDATE = 1
# what is compiled at its first import is kept, whatever the machine's habit
export PYTHONDONTWRITEBYTECODE =

.PHONY: help install demo lab app test book export bench clean
help:
	@sed -n 's/^# //p' Makefile

install: .venv/installed
.venv/installed: settings.ini setup.py constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --upgrade pip
	$(BIN)/python -m pip install -qq --no-compile -c constraints.txt -e ".[dev]"
	touch .venv/installed

demo: install
	$(BIN)/dermomamba_train --data phantom --size 64 96 --n-train 480 --epochs 3 --bs 4 --out runs/demo
	$(BIN)/dermomamba_predict --images data/phantom/images --weights runs/demo/model.safetensors --out runs/demo/predicted --overwrite
	$(BIN)/dermomamba_predict --images data/phantom/images --out runs/demo/pretrained --overwrite
	@echo "Look at runs/demo/predicted/overlays (trained just now) and runs/demo/pretrained/overlays (weights that come with the package). Next: make lab, and open nbs/tour.ipynb"

lab: install
	$(BIN)/jupyter lab --config=.ci/lab.py nbs

app: install
	$(BIN)/dermomamba_app

test: install
	$(BIN)/python .ci/checks.py

book: .venv/book
	$(BIN)/python .ci/site_parts.py
	$(BIN)/python .ci/book.py
	$(BIN)/python .ci/browser_explore.py
	$(BIN)/python .ci/browser_try.py
.venv/book: .venv/installed
	$(BIN)/python -m pip install -qq --no-compile -c constraints.txt -e ".[site]"
	touch .venv/book

export: install
	$(BIN)/nbdev_export
	$(BIN)/python .ci/shrink.py
	$(BIN)/nbdev_clean
	$(BIN)/python .ci/checks.py --write-readme

bench: install
	$(BIN)/python .ci/scan_bench.py scan

clean:
	rm -rf .venv .venv-wheel build dist *.egg-info runs/demo _docs
