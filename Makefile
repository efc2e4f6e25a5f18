# Each goal first installs what it needs and this machine lacks. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-python test-torch test-r bench bench-peers parity ecosystem cluster engines gpu-check web serve-check fuzz docs figures man check check-python check-r format lock setup clean

BIN := .venv/bin
SETUP := scripts/setup.sh
export R_LIBS := $(CURDIR)/.venv/R-library

help: ## List the goals
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install all that the tests need, and nothing twice
	@$(SETUP) python data r

demo: ## Fine-tune a network on real images in Python, use it in R; writes demo-output/
	@$(SETUP) python r
	@$(BIN)/python -m mxtune.demo demo-output
	@RETICULATE_PYTHON=$(CURDIR)/$(BIN)/python Rscript scripts/demo.R demo-output

test: check test-python test-r ## Run everything, as CI does

test-python: ## Run the tests of the Python package, or of one room of it: ROOM=images
	@$(SETUP) python data r
	$(BIN)/python -m pytest $(if $(ROOM),tests/python/$(ROOM))

test-torch: ## Run the tests of the Python package without MXNet, all but those about MXNet itself; or one room: ROOM=images
	@$(SETUP) python data r torch
	.cache/without-mxnet/bin/python -m pytest $(if $(ROOM),tests/python/$(ROOM))

test-r: ## Build and check the R package, with its tests, or run one file of them: FILE=metrics
	@$(SETUP) python data r
ifdef FILE
	RETICULATE_PYTHON=$(CURDIR)/$(BIN)/python Rscript -e 'testthat::test_dir("tests/testthat", package = "mxtune", load_package = "installed", filter = "^$(FILE)$$")'
else
	scripts/check_r.sh
endif

check: check-python check-r ## Linters and types: ruff, mypy, lintr

check-python:
	@$(SETUP) python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check-r:
	@$(SETUP) r
	Rscript -e 'found <- lintr::lint_package(); print(found); quit(status = length(found) > 0)'

format: ## Mend what ruff can mend
	@$(SETUP) python
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: export MXTUNE_CACHE_GB := 0
bench: ## Measure accuracy, speed and memory; writes benchmarks/RESULTS.md
	@$(SETUP) python data r
	$(BIN)/python -m benchmarks

bench-peers: ## Install PyTorch, Keras, onnxruntime and OpenVINO, each in its own environment, for `make bench` to compare with
	@for peer in torch keras onnxruntime openvino; do python3 -m venv .cache/peers/$$peer; done
	.cache/peers/torch/bin/pip install --quiet torch==2.13.0 torchvision==0.28.0 timm==1.0.31
	.cache/peers/keras/bin/pip install --quiet tensorflow-cpu==2.21.0 keras==3.15.0
	.cache/peers/onnxruntime/bin/pip install --quiet onnxruntime==1.32.0
	.cache/peers/openvino/bin/pip install --quiet openvino==2026.4.1

PARITY := .cache/parity
parity: ## Compare with PyTorch, onnxruntime, Keras, TensorFlow: 125 networks, real weights, ONNX's tests; 35 GB on disk, an hour
	@$(SETUP) python
	@[ -x $(PARITY)/bin/python ] || python3 -m venv $(PARITY)
	$(PARITY)/bin/pip install --quiet torch==2.13.0 torchvision==0.28.0 timm==1.0.31 onnx==1.23.2 onnxscript==0.7.2 \
	  onnxruntime==1.32.0
	$(PARITY)/bin/python scripts/torch_networks.py $(PARITY)/networks
	$(PARITY)/bin/python scripts/real_networks.py $(PARITY)/networks
	$(PARITY)/bin/python scripts/onnx_nodes.py $(PARITY)/networks
	@[ -x $(PARITY)/keras/bin/python ] || python3 -m venv $(PARITY)/keras
	$(PARITY)/keras/bin/pip install --quiet tensorflow-cpu==2.21.0 keras==3.15.0 tf_keras==2.21.0 tf2onnx==1.17.0
	$(PARITY)/keras/bin/python scripts/keras_networks.py $(PARITY)/networks
	TF_USE_LEGACY_KERAS=1 $(PARITY)/keras/bin/python scripts/keras_networks.py $(PARITY)/networks
	$(PARITY)/keras/bin/python scripts/tensorflow_graphs.py $(PARITY)/networks
	$(BIN)/python scripts/parity.py $(PARITY)/networks
	$(BIN)/python scripts/leaving.py $(PARITY)/leaving
	$(PARITY)/bin/python scripts/torch_loads.py $(PARITY)/leaving
	$(PARITY)/bin/python scripts/bring.py there "PyTorch and Torch" $(PARITY)/bring
	$(PARITY)/keras/bin/python scripts/bring.py there Keras $(PARITY)/bring
	$(PARITY)/keras/bin/python scripts/bring.py there TensorFlow $(PARITY)/bring
	$(BIN)/python scripts/bring.py here $(PARITY)/bring

engines: ## Compare PyTorch's outputs and gradients with MXNet's for every network of the zoo; half an hour
	@$(SETUP) python
	$(BIN)/python scripts/engines.py

gpu-check: ## Check PyTorch's engine on this machine's GPU, or DEVICE=cpu; writes to OUT=gpu-check
	PYTHONPATH=python $(or $(PYTHON),python3) -m benchmarks.gpu $(or $(OUT),gpu-check) --device $(or $(DEVICE),gpu)

ECOSYSTEM := $(CURDIR)/.cache/ecosystem
ECOSYSTEM_R ?= $(CURDIR)/.cache/ecosystem-r
ecosystem: ## Work with the packages that others keep runs, data, models and pipelines in, and read back what they have
	@$(SETUP) python r
	$(BIN)/pip install --quiet --upgrade --target $(ECOSYSTEM) tensorboard==2.21.0 mlflow-skinny==3.17.2 wandb==0.31.0 datasets==5.2.0 pins==0.9.2 vetiver==0.2.6
	$(BIN)/python scripts/ecosystem/callbacks.py $(ECOSYSTEM)
	$(BIN)/python scripts/ecosystem/inputs.py $(ECOSYSTEM)
	rm -rf $(ECOSYSTEM)-boards
	$(BIN)/python scripts/ecosystem/boards.py $(ECOSYSTEM) $(ECOSYSTEM)-boards
	RETICULATE_PYTHON=$(CURDIR)/$(BIN)/python Rscript scripts/ecosystem/boards.R $(ECOSYSTEM_R) $(ECOSYSTEM)-boards
	RETICULATE_PYTHON=$(CURDIR)/$(BIN)/python $(BIN)/python scripts/ecosystem/of_r.py $(ECOSYSTEM) $(ECOSYSTEM)-boards

cluster: ## Predict with a real Ray and a real Spark on this machine, workers killed among them; 2 GB on disk, minutes
	@$(SETUP) cluster
	.cache/cluster/bin/python -m pytest tests/cluster

web: ## Classify images on a page in Chromium, with models that mxtune writes and onnxruntime-web; look at reports and the pages of look and serve; two minutes
	@$(SETUP) python web
	$(BIN)/python scripts/web.py .cache/web/node_modules/onnxruntime-web/dist
	$(BIN)/python scripts/report_in_browser.py .cache/web/reports
	$(BIN)/python scripts/look_in_browser.py .cache/web/look
	$(BIN)/python scripts/service_in_browser.py .cache/web/service

serve-check: export MXTUNE_CACHE_GB := 0
serve-check: ## Serve a model to 32 clients, to hostile ones and to schemathesis, beside `predict()`; five minutes
	@$(SETUP) python
	@[ -x .cache/schemathesis/bin/python ] || python3 -m venv .cache/schemathesis
	.cache/schemathesis/bin/pip install --quiet schemathesis==4.32.5
	$(BIN)/python scripts/served.py $(CURDIR)/.cache/schemathesis/bin/schemathesis
	$(BIN)/python -m benchmarks serving

fuzz: ## Open 10,000 damaged and hostile files of every format; others with SEED=1
	@$(SETUP) python
	PYTHONPATH=tests/python $(BIN)/python -m hostile 10000 $(or $(SEED),0) --keep .cache/hostile

docs: ## Build the manual of the R package and its articles; writes docs/
	@$(SETUP) python r docs
	scripts/build_docs.sh

figures: ## Make what README.md shows: the pictures in man/figures/, and the printed model
	@$(SETUP) python
	$(BIN)/python scripts/make_figures.py

man: ## Write signatures of R from those of Python, and man/ and NAMESPACE from the comments in R/
	@$(SETUP) python r
	$(BIN)/python scripts/write_signatures.py
	@RETICULATE_PYTHON=$(CURDIR)/$(BIN)/python Rscript -e 'roxygen2::roxygenise()'

lock: ## Choose new versions for requirements.lock
	@$(SETUP) python
	scripts/lock.sh

clean: ## Remove what was built, .venv too
	rm -rf .venv .cache build dist docs demo-output *.Rcheck *.egg-info python/*.egg-info
