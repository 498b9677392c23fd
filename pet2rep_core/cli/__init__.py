"""The command line ``pet2rep``: every long job without a browser.

Results go to standard output, progress and messages to standard error. Modules of commands are imported only
when their command runs, so that ``pet2rep --help`` is instant.
"""
