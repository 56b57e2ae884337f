"""Every metric of Bellwether, declared once: name, unit, labels and what to do about it.

The docs' metrics page is generated from here. Names follow Prometheus: `bellwether_<what>_<unit>`.
"""

from common.metrics.indexing import *
from common.metrics.intake import *
from common.metrics.processes import *
from common.metrics.queries import *
from common.metrics.registry import REGISTRY as REGISTRY
from common.metrics.segments import *
