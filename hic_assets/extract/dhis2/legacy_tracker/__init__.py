"""Patient-level data by DHIS2's old endpoints, which 2.42 removed (contract 1.6): the pipelines to be replaced.

Everything that knows of them is in this folder, so that it can go as one.
"""
