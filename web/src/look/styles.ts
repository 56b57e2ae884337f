// The styles of views whose scripts come later: a script that comes later brings none of its own, and
// what is drawn before its styles would jump.

import "uplot/dist/uPlot.min.css";
import "../views/query/question/question.css";
import "../views/query/graphs/graphs.css";
import "../views/query/rows/rows.css";
import "../views/query/tabs.css";
import "../views/query/events/events.css";
import "../views/query/differs/differs.css";
import "../views/traces/traces.css";
