#!/usr/bin/env bash
# libfaketime 0.9.10 told to leave the monotonic clock alone (DONT_FAKE_MONOTONIC=1) makes every
# time.sleep() of CPython 3.11 and newer fail with EINVAL, also where it shifts the clock by nothing.
#
# Expected: the wall clock is faked, sleeping works as without the library. That is what the
# setting is for: programs that measure waits by the monotonic clock while the date is wrong.
# Seen (Debian 12, libfaketime 0.9.10-2.1, CPython 3.11.7):
#   plain                      slept
#   faked, monotonic too       slept
#   faked, monotonic not       OSError 22
#   shift of nothing, likewise OSError 22
# CPython 3.11 sleeps by clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME); the library then treats
# the point in time as one of the faked clock. Anything that sleeps so, not only Python, is hit.
# Way round: sleep by select() or poll() in the processes under test.
#
# Needs Debian 12 or newer (apt-get, dpkg) and Python 3.11 or newer. Fails if the behaviour changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
if [ "$(id -u)" = 0 ]; then apt-get update -qq; fi
apt-get -qq -o APT::Sandbox::User=root download libfaketime=0.9.10-2.1
dpkg -x libfaketime_*.deb .
library=$(echo "$folder"/usr/lib/*/faketime/libfaketimeMT.so.1)
python3 -c 'import sys; assert sys.version_info >= (3, 11), sys.version; print("CPython", sys.version.split()[0])'
cat > sleeps.py <<'PYTHON'
import time
try:
    time.sleep(0.05)
    print("slept")
except OSError as error:
    print("OSError", error.errno)
PYTHON
failed=0
expect() {  # name, expected output, environment...
  local name=$1 wanted=$2; shift 2
  local seen; seen=$(env "$@" python3 sleeps.py)
  printf '%-28s %s\n' "$name" "$seen"
  [ "$seen" = "$wanted" ] || { echo "  changed: was $wanted"; failed=1; }
}
expect 'plain' 'slept' A=1
expect 'faked, monotonic too' 'slept' LD_PRELOAD="$library" FAKETIME=+70d
expect 'faked, monotonic not' 'OSError 22' LD_PRELOAD="$library" FAKETIME=+70d DONT_FAKE_MONOTONIC=1
expect 'shift of nothing, likewise' 'OSError 22' LD_PRELOAD="$library" FAKETIME=+0 DONT_FAKE_MONOTONIC=1
exit "$failed"
