"""What a job is made of: files, folders, patterns, archives and lists: finds them, and loads one at a time."""
