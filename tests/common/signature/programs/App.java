package shop;

@PAD@

import java.util.*;
public class App {
  static class Server {
    Object handle(String kind) { return List.of("x").stream().map(t -> kind.equals("parse") ? parse(t) : price(t)).toList(); }
  }

@PAD@

  static Object parse(String t) { throw new IllegalArgumentException("bad amount"); }
  static Object price(String t) { throw new IllegalArgumentException("bad amount"); }

@PAD@

  public static void main(String[] a) {
    try { new Server().handle(a[0]); } catch (RuntimeException e) { if (a.length > 1) throw new RuntimeException("request failed", e); throw e; }
  }
}
