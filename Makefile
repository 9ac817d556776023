# Every command sets up what it needs by itself: each may be the first one typed in an empty clone.

PYTHON := .venv/bin/python
WORKERS := 2
PORT := 8000
ARGS :=

.DEFAULT_GOAL := help
.PHONY: help run test lint bench proof lock setup-run setup-dev

help:
	@echo "make run    安装,对演示数据跑一遍主流程,启动网页 / set up, run the main job on the demo pack, serve the pages (PORT=8000)"
	@echo "make test   安装并运行全部测试 / set up, then run all tests (one file: make test ARGS=tests/claims)"
	@echo "make lint   检查格式、类型与导入方向 / check style, types and import order"
	@echo "make bench  与同类做法比较速度 / measure speed against peers"
	@echo "make proof  更长的随机测试 / the tests again, with many more random rounds"
	@echo "make lock   重新锁定依赖版本 / pin the requirements anew, with hashes (UPGRADE=1: newest)"

run: setup-run
	@PORT=$(PORT) bash scripts/demo.sh

test: setup-dev
	@.venv/bin/lint-imports --no-logo
	@$(PYTHON) -m pytest -n $(WORKERS) $(ARGS)

lint: setup-dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

bench: setup-dev
	@$(PYTHON) -m bench $(ARGS)

proof: setup-dev
	@FANGPIN_PROOF=1 $(PYTHON) -m pytest -n $(WORKERS) $(ARGS)

lock: setup-dev
	@bash scripts/lock.sh

setup-run:
	@bash scripts/setup.sh run

setup-dev:
	@bash scripts/setup.sh dev
