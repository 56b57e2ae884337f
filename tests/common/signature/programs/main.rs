
@PAD@

mod shop {
#[inline(never)]
pub fn parse(t: &str) -> u32 { let v: Vec<u32> = Vec::new(); v[t.len()] }

@PAD@

#[inline(never)]
pub fn price(t: &str) -> u32 { let v: Vec<u32> = Vec::new(); v[t.len()] }
pub struct Server { pub kind: String }
impl Server { #[inline(never)] pub fn handle<T: AsRef<str>>(&self, xs: &[T]) -> u32 { xs.iter().map(|t| if self.kind == "parse" { parse(t.as_ref()) } else { price(t.as_ref()) }).sum() } }
}

@PAD@

fn main() { let s = shop::Server { kind: std::env::args().nth(1).unwrap() }; println!("{}", s.handle(&["x", "yy"])); }
