"""The report of a run: one file that needs no network, in English and Chinese."""
