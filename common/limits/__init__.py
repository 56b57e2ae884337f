"""Every limit of Bellwether, one line of reason each (I11); read as `limits.NAME`.

Limits that are part of a format (they decide what the log means, I3) say so: they may change
only with a new format version.
"""

from common.limits.assistant import *
from common.limits.differences import *
from common.limits.indexer import *
from common.limits.ingest import *
from common.limits.processes import *
from common.limits.queries import *
from common.limits.resources import *
from common.limits.storage import *
