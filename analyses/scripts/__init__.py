"""The exported script: written, run, and compared with the numbers of the bundle."""
