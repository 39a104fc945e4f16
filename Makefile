# Where there is no make: python bootstrap.py setup|story|test|bench|lint
PYTHON ?= python3

.PHONY: setup story test bench lint

setup story test bench lint:
	@$(PYTHON) bootstrap.py $@ $(ARGS)
