//! `models/mobilenet-v2.safetensors`; `models/README.md` says where it comes from.

/// The bytes. `traceur-generator` checks their SHA-256.
pub const WHOLE: &[u8] = include_bytes!("weights");
