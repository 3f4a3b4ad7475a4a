"""Tables of results, written once: the pages and the command line print the same rows."""
