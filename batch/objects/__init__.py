"""Where originals and results of jobs are kept: a folder, or what speaks S3."""
