"""HEROS' datasources.

What: the package of datasource.py, observables.py and types.py.
Why: scripts import from hector.heros.datasource.
Who: programs written for HEROS.
"""
