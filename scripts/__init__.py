"""What the Makefile runs: installation, screenshots, the tutorial, the pages of the documentation."""
