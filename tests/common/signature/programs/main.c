
@PAD@

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

@PAD@

static void on(int s) { void *f[64]; int n = backtrace(f, 64); backtrace_symbols_fd(f, n, 2); _exit(1); }
__attribute__((noinline)) int parse(const char *t) { if (t) abort(); return 1; }
__attribute__((noinline)) int price(const char *t) { if (t) abort(); return 2; }

@PAD@

__attribute__((noinline)) int handle(const char *kind) { return 1 + (strcmp(kind, "parse") ? price(kind) : parse(kind)); }
int main(int n, char **a) { if (n > 2) signal(SIGABRT, on); return handle(a[1]) + n; }
