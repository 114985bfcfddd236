"""The canary: a camera that does not exist, with faces at known places, to see whether workers still find any."""
