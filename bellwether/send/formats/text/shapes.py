"""What follows a time in the logs of well-known programs and libraries: level, thread, logger.

SHAPES is tried in order; the first that fits the whole rest of a line gives its fields. A shape
only takes what surely is a level, thread or logger; everything else stays in `message`.
"""

import re

# as words in capitals; in other letters only where brackets or a colon show that it is the level
_NAMES = (
    *("TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "SEVERE", "FATAL"),
    *("CRIT", "CRITICAL", "ALERT", "EMERG", "EMERGENCY", "PANIC", "VERBOSE", "CONFIG", "FINE"),
    *("FINER", "FINEST", "DPANIC", "SYSTEM", "NOTE", "LOG", "AUDIT"),
    *("TRAC", "DEBU", "ERRO", "FATA", "PANI"),  # logrus
    *("VRB", "TRC", "DBG", "INF", "WRN", "FTL", "PNC"),  # zerolog, Serilog
)
_ANY = "|".join(sorted(_NAMES, key=len, reverse=True))
_LEVEL = rf"(?P<level>{_ANY})"
_ANY_CASE_LEVEL = rf"(?P<level>(?i:{_ANY}))"
LEVEL_LETTERS = {
    "V": "VERBOSE", "D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL",
    "C": "CRITICAL", "A": "ASSERT", "T": "TRACE", "N": "NOTICE",
}  # fmt: skip
_MESSAGE = r"(?P<message>.*)"
_THREAD = r"\[(?P<thread>[^\[\]]{0,240})\]"  # blanks around it are cut off later
# separators and words have no character in common, so there is one way to read a name
_LOGGER = r"(?P<logger>[A-Za-z_$]\w*(?:[.$/:@#<>-]+\w+){0,30})"
# without a dot a logger's name begins with a capital; the name of an exception is no logger
_CLASS = (
    r"(?P<logger>(?:[A-Za-z_$]\w*(?:(?:[.$/]+|::)\w+){1,30}"
    r"|(?![\w$]*(?:Exception|Error):)[A-Z][\w$]*[a-z][\w$]*))"
)
_DOTTED = r"(?P<logger>[A-Za-z_$]\w*(?:\.[\w$<>]+){2,30})"

# inside a bracket that the time opened
_OPEN_SHAPES = (
    rf": {_LEVEL}/(?P<process>[\w.-]+)\] ?{_MESSAGE}",  # Celery
    rf" +{_LEVEL} +{_LOGGER}\] ?{_MESSAGE}",  # Rust's env_logger
    rf" #(?P<pid>\d{{1,10}})\] +{_LEVEL} -- (?P<program>[^:]{{0,100}}): ?{_MESSAGE}",  # Ruby
    rf" (?P<logger>[\w.]+)(?::(?P<line>\d{{1,9}}))?\] ?{_MESSAGE}",  # Tornado, Jupyter
)
_SHAPES = (
    # ZooKeeper: - INFO  [main:QuorumPeerConfig@103] - text
    rf"(?:\[myid:(?P<myid>\d{{0,9}})\] )?- {_LEVEL} +\[(?P<thread>.{{0,300}}?):"
    rf"(?P<logger>[\w$.]+)@(?P<line>\d{{1,9}})\] - {_MESSAGE}",
    # Spring Boot: INFO 12345 --- [app] [main] o.s.Foo : text
    rf"{_LEVEL} +(?P<pid>\d{{1,10}}) +--- +(?:\[(?P<app>[^\[\]]{{0,200}})\] )?{_THREAD} "
    rf"+(?P<logger>\S{{1,200}}) *: {_MESSAGE}",
    # Hadoop, log4j: INFO [main] org.apache.Foo: text; Tomcat without the colon
    rf"{_LEVEL} +{_THREAD} +{_LOGGER}(?:: | - |:$){_MESSAGE}",
    rf"{_LEVEL} +{_THREAD} +{_DOTTED} {_MESSAGE}",
    # logback, log4j2: [main] INFO  c.f.Bar - text
    rf"{_THREAD} +{_LEVEL} +{_LOGGER} +(?:--?|:) +{_MESSAGE}",
    rf"{_THREAD} +{_LEVEL} +{_LOGGER}: {_MESSAGE}",
    # JBoss: INFO  [org.jboss.as] (main) text
    rf"{_LEVEL} +\[(?P<logger>[\w.$-]+)\] \((?P<thread>[^()]{{0,200}})\) {_MESSAGE}",
    # loguru: | INFO     | module:function:12 - text
    rf"\| {_LEVEL} *\| (?P<logger>[\w.<>]+):(?P<function>[\w<>]+):(?P<line>\d{{1,9}}) - {_MESSAGE}",
    # HDFS, OpenStack: 148 INFO dfs.DataNode$PacketResponder: text; 2931 INFO nova.x [req-..] text
    rf"(?P<pid>\d{{1,10}}) +{_LEVEL} +{_LOGGER}(?:: | (?=\[)){_MESSAGE}",
    # Spark: INFO executor.Executor: text
    rf"{_LEVEL} +{_CLASS}(?:: |:$){_MESSAGE}",
    # Python's usual ones: - name - INFO - text; {file.py:12} INFO - text; [INFO] name: text
    rf"- (?P<logger>\S{{1,200}}) - {_LEVEL} - {_MESSAGE}",
    rf"\{{(?P<file>[^{{}}:]{{1,200}}):(?P<line>\d{{1,9}})\}} {_LEVEL} - {_MESSAGE}",
    rf"\[{_ANY_CASE_LEVEL} *\] {_CLASS}: {_MESSAGE}",
    # gunicorn: [1234] [INFO] text
    rf"\[(?P<pid>\d{{1,10}})\] \[{_LEVEL}\] {_MESSAGE}",
    # Elasticsearch: [INFO ][o.e.n.Node    ] text
    rf"\[{_LEVEL} *\]\[(?P<logger>[\w.$-]+) *\] ?{_MESSAGE}",
    # PostgreSQL: [1234] user@db ERROR:  text
    r"\[(?P<pid>\d{1,10})\]:? (?:(?P<user>[^\s@]{1,64})@(?P<database>\S{1,64}) )?"
    r"(?P<level>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?|STATEMENT|DETAIL|HINT|"
    rf"CONTEXT|QUERY): +{_MESSAGE}",
    # MySQL: 0 [System] [MY-010116] [Server] text
    rf"(?P<thread>\d{{1,18}}) \[{_ANY_CASE_LEVEL}\] "
    rf"(?:\[(?P<code>MY-\d{{1,9}})\] \[(?P<subsystem>\w{{1,64}})\] )?{_MESSAGE}",
    # containers: stdout F text
    rf"(?P<stream>stdout|stderr) (?P<tag>[FP]) {_MESSAGE}",
    # Android: 1702  2395 D WindowManager: text
    rf"(?P<pid>\d{{1,10}}) +(?P<tid>\d{{1,10}}) (?P<letter>[VDIWEFA]) "
    rf"(?P<logger>[^:]{{1,100}}?) *: {_MESSAGE}",
    # Go: file.go:12: text; Cassandra: Daemon.java:12 - text
    rf"(?P<file>[\w./$-]{{1,200}}\.(?:go|java|c|cc|cpp|rs|py)):(?P<line>\d{{1,9}})"
    rf"(?:: | - ){_MESSAGE}",
    # zap: INFO <tab> file.go:12 <tab> text
    rf"{_ANY_CASE_LEVEL}\t(?:(?P<caller>[\w./-]{{1,200}}:\d{{1,9}})\t)?{_MESSAGE}",
    # a level alone
    rf"(?:[-|:,;] *)?\[ *{_ANY_CASE_LEVEL} *\](?: ?[-|:](?= ))? ?{_MESSAGE}",
    rf"(?:[-|:,;] *)?{_ANY_CASE_LEVEL}(?: *[:|]| +-|  (?= ))(?: |$) *{_MESSAGE}",
    rf"(?:[-|:,;] *)?{_LEVEL}(?:[ \t]+|$){_MESSAGE}",
)
# glog and klog: I0102 15:04:05.678901    1234 file.go:12] text (also with a year)
GLOG = re.compile(
    r"(?P<letter>[IWEF])(?P<time>(?:\d{4})?\d{4} \d\d:\d\d:\d\d\.\d{1,9}) +(?P<pid>\d{1,10}) "
    r"(?P<file>[^\s:\]]{1,200}):(?P<line>\d{1,9})\] ?(?P<message>.*)",
    re.DOTALL,
)
# without a time: Python's basicConfig, Maven, anything that begins with its level
_UNTIMED_SHAPES = (
    rf"{_LEVEL}:(?P<logger>[\w.]{{1,200}}):{_MESSAGE}",
    rf"\[{_LEVEL} *\] ?{_MESSAGE}",
    rf"{_LEVEL}: +{_MESSAGE}",
)
SHAPES = tuple(re.compile(shape, re.DOTALL) for shape in _SHAPES)
OPEN_SHAPES = tuple(re.compile(shape, re.DOTALL) for shape in _OPEN_SHAPES)
UNTIMED_SHAPES = tuple(re.compile(shape, re.DOTALL) for shape in _UNTIMED_SHAPES)
# before a time: INFO, [INFO], INFO:, INFO [main] (Cassandra), I, (Ruby), [I (Tornado)
LEVEL_BEFORE = re.compile(rf"\[?{_LEVEL}\]?:?(?: +{_THREAD})?|\[?(?P<letter>[VDIWEFC]),?")
# OpenStack's request, kept in the message too
REQUEST_ID = re.compile(r"\[(req-[0-9a-f-]{8,64})[ \]]")
