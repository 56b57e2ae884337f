package main

@PAD@

import ("os"; "sort")
type Server struct{ kind string }
func parse(t []byte) int { var m map[string]int; m["a"] = len(t); return 1 }

@PAD@

func price(t []byte) int { var m map[string]int; m["a"] = len(t); return 2 }
func each[T any](xs []T, f func(T) int) int { n := 0; for _, x := range xs { n += f(x) }; return n }

@PAD@

func (s *Server) handle() int { return each([][]byte{[]byte("x")}, func(t []byte) int { if s.kind == "parse" { return parse(t) }; return price(t) }) }
func main() { xs := []int{2,1}; s := &Server{os.Args[1]}; if len(os.Args) > 2 { go s.handle(); select {} }; sort.Slice(xs, func(i, j int) bool { s.handle(); return false }) }
