//! User stories, end to end.
fn main() {}
