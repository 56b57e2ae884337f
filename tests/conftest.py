"""What every test shares: how property tests choose their examples.

On a developer's machine they are new in every run; in continuous integration (`CI` is set) they
are the same in every run, so that a change is judged by what it changed.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
