
@PAD@

#include <algorithm>
#include <execinfo.h>
#include <exception>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>
namespace shop {
template <class T> __attribute__((noinline)) int parse(const T &t) { throw std::runtime_error("bad amount"); }

@PAD@

template <class T> __attribute__((noinline)) int price(const T &t) { throw std::runtime_error("bad amount"); }
struct Server { std::string kind; __attribute__((noinline)) int handle() const { std::vector<int> v{1}; int n = 0;
 std::for_each(v.begin(), v.end(), [&](int x) { n += kind == "parse" ? parse(std::vector<int>{x}) : price(std::vector<int>{x}); }); return n; } };
}

@PAD@

static void on() { void *f[64]; int n = backtrace(f, 64); backtrace_symbols_fd(f, n, 2); _exit(1); }
int main(int n, char **a) { if (n > 2) std::set_terminate(on); return shop::Server{a[1]}.handle(); }
