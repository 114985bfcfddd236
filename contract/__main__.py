"""`python -m contract` prints the browser's contract as an OpenAPI document."""

import json
import sys

from contract.document import document

json.dump(document(), sys.stdout, indent=2)
