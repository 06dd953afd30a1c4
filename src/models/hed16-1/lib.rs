//! Part 1 of 2 of `models/hed16-conv4_3.safetensors`; `models/README.md` says where it comes from. A package holds at most
//! 10 MB, and the whole has 15.

/// The bytes. The whole is part 1 and then part 2; `traceur-generator` checks its SHA-256.
pub const PART: &[u8] = include_bytes!("weights");
