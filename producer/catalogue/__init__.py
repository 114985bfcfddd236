"""Which cameras there are: the grammar of SOURCE, and the file of cameras with its reloading."""
