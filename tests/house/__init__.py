"""Tools that look after the repository itself, run by `make` and CI: licences, coverage, commit subjects."""
