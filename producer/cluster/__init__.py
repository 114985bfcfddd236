"""Several producers as one: who takes which camera, and what each tells the others."""
