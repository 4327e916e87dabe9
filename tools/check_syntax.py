#!/usr/bin/env python3
"""Compiles the named Python files without running or writing anything; fails on the first syntax error."""

import sys

for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as source:
        compile(source.read(), path, "exec")
