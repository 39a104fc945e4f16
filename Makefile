# Where there is no make: python bootstrap.py setup|story|test|bench|lint|messages
PYTHON ?= python3

.PHONY: setup story test bench lint messages

setup story test bench lint messages:
	@$(PYTHON) bootstrap.py $@ $(ARGS)
