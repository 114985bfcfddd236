"""Which licences may come along with Framefleet (Apache-2.0), and which packages are the exceptions. Pure."""

import re

# As PyPI's classifiers and older metadata write them.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",  # of two or three clauses: the classifier does not say
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# They ask for their notice to be kept, and for nothing that this project does not do.
PERMISSIVE = {
    "0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT",
    "MIT-CMU", "OFL-1.1", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip
# Copyleft that ends at the package's own files; each is used as it comes, and can be replaced by its user.
EXCEPTIONS = {
    "certifi": "MPL-2.0",
    "pathspec": "MPL-2.0",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "tqdm": "MPL-2.0 AND MIT",  # below PySceneDetect
}

# Their metadata name none: read by hand in the LICENSE file of exactly that version.
READ = {
    ("svelte-toolbelt", "0.10.7"): "MIT",  # below bits-ui
    ("combine-errors", "3.0.3"): "MIT",  # below tus-js-client; its Readme says so
}


def spdx(words: str) -> str:
    """A licence as package metadata has it, as an SPDX expression where that is known."""
    return SPDX.get(words.strip(), words.strip())


def complaint(package: str, licence: str) -> str | None:
    """Why this package may not be shipped, or None. `licence` is an expression: all of its ANDs, one of its ORs."""
    if EXCEPTIONS.get(package) == licence:
        return None
    bare = re.sub(r"[()]", " ", licence)
    for part in bare.split(" AND "):
        if not any(choice.strip() in PERMISSIVE for choice in part.split(" OR ")):
            return (
                f"{package} is under {licence or 'no licence that it names'}, which may not come along: "
                "take another package, or give the reason in tests/house/policy.py and ADR 0033"
            )
    return None
