"""The answers of the gateway's HTTP interface. Times in Unix seconds, durations in seconds.

They are plain data classes: FastAPI documents them, msgspec writes them, and the dashboard's types and readers are
generated from them (contract/document.py). Fields may be added, and none is taken away.
"""
