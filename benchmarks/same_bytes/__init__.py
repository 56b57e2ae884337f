"""Whether two builds give the same bytes: `python -m benchmarks.same_bytes OTHER_CHECKOUT`.

build      a checkout, and how its commands are run
report     two sets of findings compared, one line for each set
masks      what may differ between two runs of one build
cli        help texts, errors, settings, and the pages that are generated
corpus     bodies of requests, the same in every run
inside     runs with the modules of a checkout: records, segments, cuts, manifests
lookup     where these modules are, and what their functions and classes are or were called
exchange   raw HTTP, and the masked answers of a running build
requests   the requests that are sent
questions  queries and client commands with fixed answers
folders    names of files, schemas of databases, and shapes of documents in a data folder
metrics    names, types, help texts and labels at /metrics
mixed      roles of both builds in one data folder
"""
